"""Writes schedules.json: learning rates by step of every Keras schedule (see golden.py)."""
import numpy as np
from golden import keras, make, write

SPECS = """
ExponentialDecay(0.1, 10, 0.5) | ExponentialDecay(initial_learning_rate=0.1, decay_steps=10, decay_rate=0.96, staircase=True)
ExponentialDecay(0.01, decay_steps=7, decay_rate=0.9)
PiecewiseConstantDecay([5, 20], [0.1, 0.01, 0.001]) | PiecewiseConstantDecay(boundaries=[10], values=[1.0, 0.5])
PiecewiseConstantDecay(boundaries=[1, 2, 3], values=[0.4, 0.3, 0.2, 0.1])
PolynomialDecay(0.1, 20) | PolynomialDecay(0.1, 20, end_learning_rate=0.01, power=0.5)
PolynomialDecay(0.1, 10, 0.001, power=2.0, cycle=True) | PolynomialDecay(0.1, decay_steps=8, cycle=True)
InverseTimeDecay(0.1, 10, 0.5) | InverseTimeDecay(0.1, decay_steps=10, decay_rate=0.5, staircase=True)
CosineDecay(0.1, 20) | CosineDecay(0.1, 20, alpha=0.1) | CosineDecay(0.0, 20, warmup_target=0.1, warmup_steps=8)
CosineDecay(0.01, decay_steps=15, alpha=0.05, warmup_target=0.2, warmup_steps=5) | CosineDecay(0.1, 10, warmup_steps=4)
CosineDecay(0.1, 10, warmup_target=0.2)
CosineDecayRestarts(0.1, 8) | CosineDecayRestarts(0.1, first_decay_steps=5, t_mul=1.0, m_mul=0.8, alpha=0.1)
CosineDecayRestarts(0.1, 6, t_mul=1.5, m_mul=0.9, alpha=0.01) | CosineDecayRestarts(0.1, 4, t_mul=3.0)
"""
STEPS = list(range(0, 32)) + [39, 40, 41, 60, 99, 100, 1000, 100000]

cases = []
for spec in (spec.strip() for line in SPECS.strip().splitlines() for spec in line.split(" | ")):
    schedule = make(keras.optimizers.schedules, spec)
    # A float step, as the optimizer's int32 iteration is converted to float32 inside the schedule.
    values = np.array([float(schedule(step)) for step in STEPS], np.float32)
    cases.append({"name": spec, "spec": spec, "steps": np.array(STEPS), "values": values})
write("schedules", cases)
