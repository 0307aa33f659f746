"""Train a tiny separator on songs made up on the spot, export it, and separate with it. Needs the extra ``training``; half a minute.

    python examples/train_tiny.py FOLDER [MINUTES]
"""

import subprocess
import sys
from pathlib import Path

import numpy as np

from rtaudio import separate

folder, minutes = Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "0.1"
training = [sys.executable, "-m", "training"]
subprocess.run([*training, "fit", "demucs-live", "--tiny", "--minutes", minutes, "-o", str(folder / "run")], check=True)
subprocess.run([*training, "release", str(folder / "run"), "-o", str(folder / "model")], check=True)
subprocess.run([*training, "export", str(folder / "model" / "weights.safetensors"), "-o", str(folder / "model")], check=True)

noise = np.random.default_rng(0).standard_normal((44_100, 2)).astype(np.float32) / 10
stems = separate(noise, 44_100, folder / "model")
print(f"a model of one's own made {stems.shape[1]} stems of {len(stems)} frames")
