"""Plain JAX on the narrow model 13-64-64-1, regression with SGD: one process on all cores, the epoch compiled into one call."""
import jax
import jax.numpy as jnp
import numpy as np
from common import Clock, arguments

options = arguments(("--inputs", {"required": True}), ("--targets", {"required": True}))
inputs, targets = jnp.asarray(np.load(options.inputs)), jnp.asarray(np.load(options.targets))
steps = len(inputs) // options.batch
samples = steps * options.batch
SIZES = [13, 64, 64, 1]
rng = np.random.default_rng(42)
params = [(jnp.asarray(rng.uniform(-1, 1, (a, b)) * np.sqrt(6 / (a + b)), jnp.float32), jnp.zeros(b, jnp.float32))
          for a, b in zip(SIZES, SIZES[1:])]


def loss(params, x, y):
    for w, b in params[:-1]:
        x = jax.nn.relu(x @ w + b)
    w, b = params[-1]
    return jnp.mean((x @ w + b - y) ** 2)


@jax.jit
def epoch(params, inputs, targets, order):
    def step(params, rows):
        grads = jax.grad(loss)(params, inputs[rows], targets[rows])
        return jax.tree_util.tree_map(lambda p, g: p - 0.001 * g, params, grads), None
    return jax.lax.scan(step, params, order.reshape(steps, options.batch))[0]


clock = Clock()
for index in range(options.epochs + 1):
    order = jnp.asarray(rng.permutation(len(inputs))[:samples])
    clock.begin()
    params = jax.block_until_ready(epoch(params, inputs, targets, order))
    clock.end(samples, index > 0)
clock.report(version=jax.__version__)
