"""Writes optimizers.json: ten steps of every Keras optimizer with given gradients (see golden.py)."""
import numpy as np
from golden import array, f32, keras, make, random, write

SPECS = """
SGD() | SGD(learning_rate=0.1) | SGD(0.1, momentum=0.9) | SGD(0.1, momentum=0.9, nesterov=True)
SGD(0.1, weight_decay=0.05) | SGD(0.1, momentum=0.9, weight_decay=0.05) | SGD(0.1, clipnorm=0.5)
SGD(0.1, clipvalue=0.3) | SGD(0.1, global_clipnorm=0.8) | SGD(0.1, global_clipnorm=100.0) | SGD(0.1, clipnorm=100.0)
SGD(0.1, momentum=0.9, nesterov=True, global_clipnorm=0.8, weight_decay=0.01)
SGD(0.1, use_ema=True, ema_momentum=0.9) | SGD(0.1, use_ema=True, ema_momentum=0.9, ema_overwrite_frequency=3)
SGD(0.1, use_ema=True) | SGD(0.1, gradient_accumulation_steps=2) | SGD(0.1, gradient_accumulation_steps=3)
SGD(0.1, momentum=0.9, gradient_accumulation_steps=2, weight_decay=0.05, clipnorm=0.5)
SGD(0.1, gradient_accumulation_steps=2, use_ema=True, ema_momentum=0.9, ema_overwrite_frequency=2)
SGD(ExponentialDecay(0.1, decay_steps=3, decay_rate=0.5))
SGD(ExponentialDecay(0.1, decay_steps=3, decay_rate=0.5), momentum=0.9, gradient_accumulation_steps=2)
SGD(CosineDecay(0.01, decay_steps=6, warmup_target=0.1, warmup_steps=3), momentum=0.9, weight_decay=0.05)
SGD(PiecewiseConstantDecay([2, 5], [0.1, 0.05, 0.01]))
Adam() | Adam(learning_rate=0.05) | Adam(0.05, amsgrad=True) | Adam(0.05, beta_1=0.8, beta_2=0.95, epsilon=1e-3)
Adam(0.05, weight_decay=0.1) | Adam(0.05, clipnorm=0.5) | Adam(0.05, global_clipnorm=0.8)
Adam(0.05, use_ema=True, ema_momentum=0.8, ema_overwrite_frequency=4) | Adam(0.05, gradient_accumulation_steps=2)
Adam(0.05, gradient_accumulation_steps=3, use_ema=True, ema_momentum=0.8)
Adam(InverseTimeDecay(0.05, decay_steps=2, decay_rate=0.5)) | Adam(PolynomialDecay(0.05, 5, 0.001, power=2.0))
AdamW() | AdamW(0.05) | AdamW(0.05, weight_decay=0.1, amsgrad=True) | AdamW(0.05, 0.02, 0.8, 0.95)
AdamW(CosineDecay(0.05, 10), weight_decay=0.1)
Nadam() | Nadam(0.05) | Nadam(0.05, beta_1=0.8, beta_2=0.95, epsilon=1e-3, weight_decay=0.1)
Nadam(0.05, gradient_accumulation_steps=2)
Adamax() | Adamax(0.05) | Adamax(0.05, beta_1=0.8, beta_2=0.95, epsilon=1e-3, weight_decay=0.1)
RMSprop() | RMSprop(0.05) | RMSprop(0.05, momentum=0.9) | RMSprop(0.05, centered=True)
RMSprop(0.05, rho=0.8, momentum=0.5, epsilon=1e-3, centered=True) | RMSprop(0.05, weight_decay=0.1, clipvalue=0.3)
Adagrad() | Adagrad(0.1) | Adagrad(0.1, initial_accumulator_value=0.5, epsilon=1e-3) | Adagrad(0.1, weight_decay=0.1)
Adadelta() | Adadelta(1.0) | Adadelta(1.0, rho=0.8, epsilon=1e-3) | Adadelta(1.0, weight_decay=0.05)
Ftrl() | Ftrl(0.1) | Ftrl(0.1, l1_regularization_strength=0.1, l2_regularization_strength=0.2)
Ftrl(0.1, learning_rate_power=-0.7, initial_accumulator_value=0.5, beta=0.3)
Ftrl(0.1, l2_shrinkage_regularization_strength=0.05) | Ftrl(0.1, weight_decay=0.05)
Ftrl(ExponentialDecay(0.1, 4, 0.5))
Lion() | Lion(0.01) | Lion(0.01, beta_1=0.8, beta_2=0.95, weight_decay=0.1)
Adafactor() | Adafactor(0.1) | Adafactor(0.1, relative_step=False) | Adafactor(0.1, beta_2_decay=-0.6, clip_threshold=0.5)
Adafactor(0.5, epsilon_1=1e-4, epsilon_2=0.1, relative_step=False, weight_decay=0.05)
Adafactor(ExponentialDecay(0.5, 4, 0.5))
Lamb(0.05, clipvalue=0.3) | Lamb(0.05, clipnorm=0.5) | Lamb(0.05, global_clipnorm=0.8)
Lamb() | Lamb(0.05) | Lamb(0.05, beta_1=0.8, beta_2=0.95, epsilon=1e-3, weight_decay=0.1)
"""
SHAPES = {"kernel": (4, 3), "bias": (3,), "kernel_1": (5, 2)}
STEPS = 10

rng = random("optimizers")
INITIAL = {name: f32(rng.normal(0, 0.7, shape)) for name, shape in SHAPES.items()}
INITIAL["bias"][1] = 0
GRADIENTS = [[f32(rng.normal(0.1, 0.4 if step % 4 else 1.2, shape)) for shape in SHAPES.values()]
             for step in range(STEPS)]
for gradients in GRADIENTS:  # one weight never gets a gradient: a division by 0 would show
    gradients[0][2, 1] = 0


def run(spec):
    optimizer = make(keras.optimizers, spec)
    variables = [keras.Variable(value, name=name) for name, value in INITIAL.items()]
    optimizer.build(variables)
    after, rates = [], []
    for gradients in GRADIENTS:
        rates.append(float(optimizer.learning_rate))
        optimizer.apply([keras.ops.convert_to_tensor(g) for g in gradients], variables)
        after.append([np.array(v.value) for v in variables])
    final = None
    if optimizer.use_ema:  # what fit() does after the last epoch
        optimizer.finalize_variable_values(variables)
        final = [np.array(v.value) for v in variables]
    for values in after:
        assert all(np.all(np.isfinite(v)) for v in values), spec
    return {"name": spec, "spec": spec, "learning_rates": f32(rates), "after_1": [array(v) for v in after[0]],
            "after_2": [array(v) for v in after[1]], "after_5": [array(v) for v in after[4]],
            "after_10": [array(v) for v in after[9]], "finalized": final and [array(v) for v in final]}


# The common arguments with every optimizer: each keeps its state in its own way.
RATES = {"Adam": 0.05, "AdamW": 0.05, "Nadam": 0.05, "Adamax": 0.05, "Lion": 0.01, "RMSprop": 0.05, "Adagrad": 0.1, "Adadelta": 1.0,
         "Ftrl": 0.1, "Adafactor": 0.1, "Lamb": 0.05}
COMMON = ["clipnorm=0.5, use_ema=True, ema_momentum=0.8, ema_overwrite_frequency=3", "clipvalue=0.3, use_ema=True, ema_momentum=0.7",
          "global_clipnorm=0.8, weight_decay=0.02", "gradient_accumulation_steps=2"]
SPECS += "AdamW(0.05, epsilon=1e-3)\n" + "\n".join(f"{name}({rate}, {common})" for name, rate in RATES.items() for common in COMMON)

specs = [spec.strip() for line in SPECS.strip().splitlines() for spec in line.split(" | ")]
specs = list(dict.fromkeys(specs))
write("optimizers", [run(spec) for spec in specs],
      variables=[{"name": name, "value": array(value)} for name, value in INITIAL.items()],
      gradients=[[array(g) for g in gradients] for gradients in GRADIENTS])
