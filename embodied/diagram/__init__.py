"""The graph as a picture: layers, then places, then SVG; or as Mermaid, which others lay out."""
