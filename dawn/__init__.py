"""DAWN Lab: dependency-aware decoding of masked diffusion language models, step by step."""

__version__ = "0.1.0"
