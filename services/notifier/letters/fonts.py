"""Noto Sans JP, cut down to the letters of one text, with the outlines that PDF libraries can embed."""

import io
import logging
from collections.abc import Set

import pylopdf_fonts_jp
from fontTools import subset
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont, newTable

# It logs which letters it keeps, and a password is among them.
logging.getLogger("fontTools").setLevel(logging.WARNING)

LARGEST_DEVIATION = 1.0  # of the 1,000 units of a letter, when cubic curves become quadratic ones
_NO_PROGRAMS = (
    "maxTwilightPoints", "maxStorage", "maxFunctionDefs", "maxInstructionDefs", "maxStackElements",
    "maxSizeOfInstructions", "maxComponentElements", "maxPoints", "maxContours", "maxCompositePoints",
    "maxCompositeContours", "maxComponentDepth",
)  # fmt: skip


def cut_down(letters: Set[str]) -> bytes:
    """A TrueType font with these letters only (some 10 KB). Letters that the font lacks show as a box."""
    options = subset.Options(
        layout_features=[], hinting=False, notdef_outline=True,
        drop_tables=["GSUB", "GPOS", "GDEF", "BASE", "VORG", "vhea", "vmtx", "DSIG"],
    )  # fmt: skip
    cutter = subset.Subsetter(options)
    cutter.populate(text="".join(sorted(letters)))
    whole = io.BytesIO()
    with TTFont(pylopdf_fonts_jp.sans_path(), lazy=True) as font:
        cutter.subset(font)
        _turn_quadratic(font)
        font.save(whole)
    return whole.getvalue()


def _turn_quadratic(font: TTFont) -> None:
    """CFF outlines become glyf outlines; reportlab embeds no others."""
    names, outlines = font.getGlyphOrder(), font.getGlyphSet()
    glyf = newTable("glyf")
    glyf.glyphs, glyf.glyphOrder = {}, names
    for name in names:
        pen = TTGlyphPen(outlines)
        outlines[name].draw(Cu2QuPen(pen, LARGEST_DEVIATION, reverse_direction=True))
        glyf.glyphs[name] = pen.glyph()
    font["glyf"], font["loca"] = glyf, newTable("loca")
    profile = font["maxp"]
    profile.tableVersion, profile.maxZones = 0x10000, 1
    for name in _NO_PROGRAMS:
        setattr(profile, name, 0)
    font["post"].formatType = 3.0
    del font["CFF "]
    font.sfntVersion = "\x00\x01\x00\x00"
