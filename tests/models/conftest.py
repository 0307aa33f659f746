"""One torch thread: a second one, beside other work, makes each step many times slower."""

from __future__ import annotations

import torch

torch.set_num_threads(1)
