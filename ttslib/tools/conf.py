"""Sphinx settings of the pages; :mod:`ttslib.tools.pages` adds the paths."""

project = "Test-time scaling, executed"
copyright = "The ttslib authors"
extensions = ["myst_nb"]
nb_execution_mode = "off"  # the pages show what the run made, and run nothing
nb_merge_streams = True
myst_enable_extensions = ["amsmath", "colon_fence", "dollarmath"]
myst_heading_anchors = 3
html_theme = "sphinx_book_theme"
html_title = project
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {"show_navbar_depth": 1, "use_download_button": False}
