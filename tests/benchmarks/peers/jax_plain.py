"""Plain JAX, one process on all cores, the whole epoch compiled into one call: JAX at its fastest. No accuracy."""
import jax
import jax.numpy as jnp
import numpy as np
from common import SIZES, Clock, arguments, training_rows

options = arguments()
images, labels = (jnp.asarray(array) for array in training_rows(options.rows))
steps = options.rows // options.batch
samples = steps * options.batch
rng = np.random.default_rng(42)
params = [(jnp.asarray(rng.uniform(-1, 1, (a, b)) * np.sqrt(6 / (a + b)), jnp.float32), jnp.zeros(b, jnp.float32))
          for a, b in zip(SIZES, SIZES[1:])]


def loss(params, x, y):
    for w, b in params[:-1]:
        x = jax.nn.relu(x @ w + b)
    w, b = params[-1]
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(x @ w + b), y[:, None], 1))


@jax.jit
def epoch(params, images, labels, order):
    def step(params, rows):
        grads = jax.grad(loss)(params, images[rows], labels[rows])
        return jax.tree_util.tree_map(lambda p, g: p - 0.01 * g, params, grads), None
    return jax.lax.scan(step, params, order.reshape(steps, options.batch))[0]


clock = Clock()
for index in range(options.epochs + 1):
    order = jnp.asarray(rng.permutation(options.rows)[:samples])
    clock.begin()
    params = jax.block_until_ready(epoch(params, images, labels, order))
    clock.end(samples, index > 0)
clock.report(version=jax.__version__)
