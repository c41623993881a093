"""Sphinx settings of the pages; :mod:`ttslib.tools.pages` adds the paths."""

project = "Test-time scaling, executed"
author = "The ttslib authors"
copyright = author
extensions = ["myst_nb"]
nb_execution_mode = "off"  # the pages show what the run made, and run nothing
nb_merge_streams = True
nb_render_markdown_format = "myst"  # what a cell says has formulas and links, too
nb_code_prompt_show = "the code behind this paragraph"
nb_code_prompt_hide = nb_code_prompt_show
myst_enable_extensions = ["amsmath", "colon_fence", "dollarmath"]
myst_heading_anchors = 3
html_theme = "sphinx_book_theme"
html_title = project
html_static_path = ["style"]
html_css_files = ["pages.css"]
html_context = {"default_mode": "light"}  # the figures are drawn for it
html_copy_source = False
html_show_sourcelink = False
html_use_index = False
html_theme_options = {
    "show_navbar_depth": 1,
    "use_download_button": False,
    "use_fullscreen_button": False,
    "navbar_persistent": [],
}
