"""Components for the page, each a factory of one gr.HTML."""
