"""One chart a file. Each returns a whole ``<svg>``; its classes are those of ``templates/charts.css``."""
