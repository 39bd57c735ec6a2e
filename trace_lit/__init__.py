"""trace_lit: time series and the texts about them in one space (TRACE, arXiv 2506.09114)."""
