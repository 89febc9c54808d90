"""Plain JAX, one process, the whole epoch compiled into one call. Prints samples/s of each epoch after the first."""
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np
from data import SIZES, training_rows

batch, epochs = int(sys.argv[1]), int(sys.argv[2])
images, labels = training_rows()
steps = len(images) // batch
rng = np.random.default_rng(42)
params = [(rng.uniform(-1, 1, (a, b)).astype(np.float32) * np.float32(np.sqrt(6 / (a + b))), np.zeros(b, np.float32))
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
    return jax.lax.scan(step, params, order.reshape(steps, batch))[0]


images, labels = jnp.asarray(images), jnp.asarray(labels)
for i in range(epochs + 1):
    order = jnp.asarray(rng.permutation(len(images))[: steps * batch])
    start = time.perf_counter()
    params = jax.block_until_ready(epoch(params, images, labels, order))
    if i:
        print(steps * batch / (time.perf_counter() - start), flush=True)
