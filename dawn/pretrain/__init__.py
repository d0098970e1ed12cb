"""The embedded model: its data, its tokenizer, its training. Nothing here runs while a model decodes."""
