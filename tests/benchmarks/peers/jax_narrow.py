"""Plain JAX (jax_common.py) on the narrow model 13-64-64-1, a regression."""
import jax.numpy as jnp
import numpy as np
from common import arguments
from jax_common import dense_layers, train


def loss(params, x, y):
    return jnp.mean((dense_layers(params, x) - y) ** 2)


options = arguments(("--inputs", {"required": True}), ("--targets", {"required": True}))
inputs, targets = np.load(options.inputs), np.load(options.targets)
train(options, len(inputs), [13, 64, 64, 1], loss, 0.001, inputs, targets)
