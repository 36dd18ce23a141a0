"""The launcher that needs no Docker keeps its promises."""
