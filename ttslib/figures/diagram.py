"""The notation as one picture: x, z, y, verifier, guide and policy."""

from .style import COLOURS, GREY
from .tables import Shown

# parts of :func:`diagram`: x, y, width, height, colour, symbol, its index, word
PARTS = (
    (8, 92, 66, 46, COLOURS["x"], "x", "", "problem"),
    (110, 98, 38, 34, COLOURS["z"], "z", "1", ""),
    (162, 98, 38, 34, COLOURS["z"], "z", "2", ""),
    (232, 98, 38, 34, COLOURS["z"], "z", "T", ""),
    (320, 92, 72, 46, COLOURS["y"], "y", "", "answer"),
    (122, 8, 66, 46, COLOURS["guide"], "r", "", "guide"),
    (320, 186, 72, 46, COLOURS["guide"], "Ver", "x", "verifier"),
    (102, 186, 128, 46, GREY, "p(y, z | x; θ)", "", "policy"),
)
# from where to where, whether dashed
ARROWS = (
    ("M74 115H109", False),
    ("M148 115H161", False),
    ("M200 115H206M223 115H231", False),
    ("M270 115H319", False),
    ("M356 138V185", False),
    ("M320 209H231", False),
    ("M166 186V161", False),
    ("M155 87V55", True),
)
PLAIN = """\
            guide r: scores a chain that is only begun
                  :
x       -> [ z_1 -> z_2 -> ... -> z_T ] ->  y
problem      chain of thought               answer
                  ^                         |
                  | writes                  v
            policy p(y, z | x; θ) <-------- Ver_x
                                   reward   verifier"""


def diagram() -> Shown:
    """x, z, y, Ver, r and the policy, and how they hang together: one picture.

    The policy writes chain and answer, the verifier pays for the answer, and the reward
    goes back to the policy; a guide scores a chain as it is written.
    """

    def label(x, y, text, size=13, anchor="middle", style=""):
        at = f'x="{x}" y="{y}" text-anchor="{anchor}" font-size="{size}"'
        return f'<text {at} fill="#222" {style}>{text}</text>'

    shapes = ['<rect width="400" height="246" rx="6" fill="#fff"/>']
    frame = 'fill="#257180" fill-opacity="0.07" stroke="#257180" stroke-dasharray="3 3"'
    shapes.append(f'<rect x="102" y="76" width="176" height="84" rx="6" {frame}/>')
    shapes.append('<path d="M111 93V87H199V93" fill="none" stroke="#444"/>')
    for path, dashed in ARROWS:
        dash = ' stroke-dasharray="4 3"' if dashed else ""
        head = 'fill="none" stroke="#444" stroke-width="1.6" marker-end="url(#tts-tip)"'
        shapes.append(f'<path d="{path}" {head}{dash}/>')
    for x, y, w, h, colour, symbol, script, word in PARTS:
        style = f'fill="#fff" stroke="{colour}" stroke-width="2.5"'
        shapes.append(
            f'<rect x="{x}" y="{y}" width="{w}" height="{h}" rx="5" {style}/>'
        )
        if script:
            symbol += f'<tspan font-size="11" dy="4">{script}</tspan>'
        up = y + (20 if word else 22)
        size = 15 if len(symbol) > 9 and not script else 17
        shapes.append(label(x + w / 2, up, symbol, size, style='font-style="italic"'))
        shapes.append(label(x + w / 2, y + h - 8, word) if word else "")
    shapes += [
        label(190, 151, "chain of thought"),
        label(214, 117, "…"),
        label(196, 28, "scores a chain that", anchor="start"),
        label(196, 44, "is only begun", anchor="start"),
        label(174, 178, "writes", anchor="start"),
        label(275, 202, "reward"),
    ]
    tip = 'viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6" markerHeight="6"'
    tip = f'<marker id="tts-tip" {tip} orient="auto"><path d="M0 0L8 4L0 8z"/></marker>'
    said = "<title>How x, z, y, verifier, guide and policy hang together</title><desc>"
    said += "The policy writes chain and answer, the verifier pays for the answer, and "
    said += (
        "the reward goes back to the policy; a guide scores a chain as it is written"
    )
    said += "</desc>"
    size = 'style="width:560px;max-width:100%;height:auto;font-family:sans-serif"'
    opened = '<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 400 246"'
    drawn = f"{opened} {size}>{said}<defs>{tip}</defs>{''.join(shapes)}</svg>"
    return Shown(PLAIN, drawn)
