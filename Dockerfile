# On the CPU:  docker build -t dawn-lab . && docker run --rm -p 7860:7860 dawn-lab
# With CUDA:   docker build -t dawn-lab --build-arg TORCH_INDEX=https://pypi.org/simple .
#              docker run --rm --gpus all -p 7860:7860 dawn-lab

# The full image has the compiler that one requirement needs; what it made is copied, the compiler stays behind.
FROM python:3.12-trixie AS build
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
WORKDIR /build
COPY requirements.lock ./
# All is installed by hash but torch and its CUDA libraries: the index decides their build, and each build has its own hashes.
RUN python -m venv --without-pip /venv \
    && awk '/^[a-z]/ { kept = !/^(torch|triton)=|^(nvidia|cuda)-/ } kept' requirements.lock > hashed.txt \
    && pip --python /venv install --no-cache-dir --require-hashes -r hashed.txt \
    && pip --python /venv install --no-cache-dir --index-url "$TORCH_INDEX" "$(grep -o '^torch==[0-9.]*' requirements.lock)"

FROM python:3.12-slim-trixie
RUN useradd --create-home --uid 1000 user
COPY --from=build /venv /venv
ENV PATH=/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    GRADIO_SERVER_NAME=0.0.0.0 \
    GRADIO_SERVER_PORT=7860 \
    GRADIO_TEMP_DIR=/tmp/gradio \
    HF_HOME=/home/user/huggingface
WORKDIR /app
# The source belongs to root: the app reads it and writes to /tmp and the user's home only.
COPY assets ./assets
COPY dawn ./dawn
COPY viz ./viz
COPY app.py LICENSE ./
USER 1000
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:7860/healthz', timeout=4)"]
CMD ["python", "app.py"]
