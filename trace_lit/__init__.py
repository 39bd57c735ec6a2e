"""Time series and text in one space: TRACE (arXiv 2506.09114) as a PyTorch Lightning experiment framework."""
