"""Ray Data makes the parts that `embed_parts` makes."""

import os
import subprocess
import sys

import pytest

import trace_lit
from trace_lit.inference import embed_parts

pytestmark = pytest.mark.slow

EMBED = """\
import logging, sys
import ray
import trace_lit.inference.parts as parts
from trace_lit.inference.ray_data import embed_parts_with_ray
ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
ray.data.DataContext.get_current().enable_progress_bars = False
made = embed_parts_with_ray(sys.argv[1], [sys.argv[2]], sys.argv[3], workers=1)
assert not made.missing()
"""


def test_ray_makes_the_same_parts(tiny_runs, tmp_path):
    pytest.importorskip("ray")
    model = trace_lit.load(tiny_runs.aligned)
    embed_parts(model, tiny_runs.corpus, tmp_path / "own")
    command = [sys.executable, "-c", EMBED, str(tiny_runs.aligned), str(tiny_runs.corpus), str(tmp_path / "ray")]
    own = {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    environment = os.environ | own | {"RAY_worker_niceness": "0"}  # at 15, they wait for all else on the machine
    made = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert made.returncode == 0, made.stderr
    mine, others = ({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("own", "ray"))
    assert mine == others
