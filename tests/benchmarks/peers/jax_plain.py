"""Plain JAX (jax_common.py) on the model of the other peers."""
import jax
import jax.numpy as jnp
from common import SIZES, arguments, training_rows
from jax_common import dense_layers, train


def loss(params, x, y):
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(dense_layers(params, x)), y[:, None], 1))


options = arguments()
train(options, options.rows, SIZES, loss, 0.01, *training_rows(options.rows))
