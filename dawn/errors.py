"""Every error that a user can cause. A message says what was expected, what came, what to do."""


class DawnError(Exception):
    """Base of all errors raised on purpose; the command line and the app show its message and nothing else."""


class ThresholdError(DawnError, ValueError):
    """A threshold or setting outside its range."""


class CanvasError(DawnError, ValueError):
    """A canvas that cannot exist, or a commit outside the masked window."""


class RuleError(DawnError, ValueError):
    """An unknown rule, or a parameter that the rule does not take."""


class TraceError(DawnError, ValueError):
    """A trace file that is not one, or whose contents contradict the schema."""


class ModelError(DawnError, RuntimeError):
    """A model that is unknown, cannot be loaded, or cannot do what was asked."""


class DataError(DawnError, ValueError):
    """Training or evaluation data that is missing or unusable."""


class LimitError(DawnError, ValueError):
    """More than this server gives, or a limit that cannot be one."""
