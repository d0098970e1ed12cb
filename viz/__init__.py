"""Pictures of the science: records in, figures and payloads out. Imports dawn, never torch; dawn never imports this."""
