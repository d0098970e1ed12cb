"""The page's tabs: one file each, components and wiring, nothing computed."""
