"""Diagrams of a graph: as SVG by layers and layout, or as Mermaid, which other tools lay out."""
