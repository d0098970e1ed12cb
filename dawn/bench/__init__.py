"""What looking costs: ratios between a decoding step's parts and the model's bare forward pass, measured side by side.

Here: how things are measured, and the parts that need no model. `dawn.models.cost` measures those that do.
"""
