"""The only torch and transformers code of the decoder: attention tap, denoiser, and where models come from."""

from dawn.models.registry import EMBEDDED, embedded_tokenizer, known_models, load_model, model_state

__all__ = ["EMBEDDED", "embedded_tokenizer", "known_models", "load_model", "model_state"]
