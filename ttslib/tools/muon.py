"""Muon, the optimizer of a layer's matrices (Jordan et al. 2024)."""

import math

import torch


def orthogonal(g, steps: int = 5):
    """Matrices [..., rows, columns], rows ≤ columns, made about orthogonal.

    Newton-Schulz iteration of Muon (Jordan et al. 2024): it moves the singular values
    near 1.
    """
    a, b, c = 3.4445, -4.7750, 2.0315
    x = g / g.norm(dim=(-2, -1), keepdim=True).clamp_min(1e-7)
    for _ in range(steps):
        s = x @ x.mT
        x = a * x + (b * s + c * s @ s) @ x
    return x


class Muon:
    """Muon in float32, all matrices of one shape at a time.

    Same updates as torch.optim.Muon (``adjust_lr_fn="match_rms_adamw"``), which works
    in bfloat16, a matrix at a time: on a processor without fast bfloat16 that took
    longer than forward and backward.
    """

    def __init__(self, parameters, lr, momentum=0.95, weight_decay=0.01):
        self.param_groups = [{"lr": lr}]
        self.momentum, self.weight_decay = momentum, weight_decay
        self.shapes: dict[tuple, list] = {}  # (rows, columns), rows ≤ columns
        for p in parameters:
            self.shapes.setdefault(tuple(sorted(p.shape)), []).append(p)
        self.averages = {
            shape: p[0].new_zeros(len(p), *shape) for shape, p in self.shapes.items()
        }

    def step(self):
        lr = self.param_groups[0]["lr"]
        for shape, parameters in self.shapes.items():
            wide = [p.shape[0] <= p.shape[1] for p in parameters]
            g = torch.stack(
                [p.grad if w else p.grad.mT for p, w in zip(parameters, wide)]
            )
            average = self.averages[shape].lerp_(g, 1 - self.momentum)
            update = orthogonal(g.lerp(average, self.momentum))
            update *= lr * 0.2 * math.sqrt(shape[1])  # the size of AdamW's update
            for p, u, w in zip(parameters, update, wide):
                p.data.mul_(1 - lr * self.weight_decay).sub_(u if w else u.mT)

    def zero_grad(self, set_to_none: bool = True):
        for p in sum(self.shapes.values(), []):
            p.grad = None
