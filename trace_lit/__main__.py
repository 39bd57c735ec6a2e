"""`python -m trace_lit`: the command `trace-lit`, started as by `python -m trace_lit.cli`."""

import runpy

if __name__ == "__main__":
    runpy.run_module("trace_lit.cli", run_name="__main__", alter_sys=True)
