"""Writes layers.json: forward, backward, state and added loss of every layer (see golden.py)."""
import jax
import numpy as np
from golden import array, f32, keras, make, random, short, write

cases = []


def values_for(path, shape, rng):
    """Telling weights instead of the zeros and ones of most initializers."""
    name = path.split("/")[-1]
    if name in ("gamma", "scale"):
        return 1 + rng.normal(0, 0.3, shape)
    if name in ("moving_variance", "variance"):
        return rng.uniform(0.5, 2, shape)
    if name == "alpha":
        return rng.uniform(-0.3, 0.6, shape)
    return rng.normal(0, 0.5, shape)


def add(spec, input_shape, training=False, rows=5, x=None, adapt=None, name=None, scale=1.3, shift=0.2, initial=False):
    """initial: the weights stay as Keras' initializers made them, which must not be random."""
    base = (name or spec) + "/" + "x".join(map(str, input_shape)) + ("/training" if training else "")
    rng = random(base)
    layer = make(keras.layers, spec)
    x = short(rng.normal(shift, scale, (rows,) + tuple(input_shape)) if x is None else x)
    adapt_x = None
    if adapt is not None:
        adapt_x = short(adapt(rng))
        layer.adapt(adapt_x)
    else:
        layer.build((None,) + tuple(input_shape))
        for w in layer.weights:
            if not initial and not w.path.endswith(("seed_generator_state", "count")):
                w.assign(short(values_for(w.path, w.shape, rng)))
    kept = [w for w in layer.weights if "seed" not in w.path]
    weights = [{"name": w.name, "trainable": bool(w.trainable), "value": array(np.array(w.value))} for w in kept]
    model = keras.Sequential([keras.Input(input_shape), layer])  # a layer called alone leaves out its activity loss
    assert [w.path for w in model.trainable_variables] == [w.path for w in layer.trainable_variables]

    trainable = [w.value for w in model.trainable_variables]
    fixed = [w.value for w in model.non_trainable_variables]

    def forward(tv, x):
        y, state, losses = model.stateless_call(tv, fixed, x, return_losses=True, training=training)
        return (y, sum(losses, start=jax.numpy.zeros(()))), state

    (y, loss), pull, state = jax.vjp(forward, trainable, jax.numpy.asarray(x), has_aux=True)
    dy = short(rng.normal(0, 1, y.shape))
    dweights, dx = pull((jax.numpy.asarray(dy), jax.numpy.zeros(())))
    loss_dweights, loss_dx = pull((jax.numpy.zeros(y.shape), jax.numpy.ones(())))
    after = None
    if training and any(not w["trainable"] for w in weights):
        new = {w.path: v for w, v in zip(model.non_trainable_variables, state)}
        after = [array(np.array(new.get(w.path, w.value))) for w in kept]
    has_loss = float(loss) != 0
    case = {"name": base, "spec": spec, "input_shape": np.array(input_shape, int), "training": training}
    if adapt_x is not None:
        case["adapt_x"] = array(adapt_x)
    if initial:
        case["initial"] = True
    cases.append({**case, "weights": weights, "x": array(x), "y": array(np.asarray(y)), "dy": array(dy),
                  "dx": array(np.asarray(dx)), "dweights": [array(np.asarray(g)) for g in dweights],
                  "weights_after": after, "loss": float(loss),
                  "loss_dx": array(np.asarray(loss_dx)) if has_loss else None,
                  "loss_dweights": [array(np.asarray(g)) for g in loss_dweights] if has_loss else None})
    assert np.all(np.isfinite(np.asarray(y))), base
    if not np.all(np.isfinite(np.asarray(dx))):  # NaN in Keras: no golden number for it
        print("dx is NaN in Keras:", base)
        cases[-1]["dx"] = None


def both(spec, input_shape, **more):
    add(spec, input_shape, False, **more)
    add(spec, input_shape, True, **more)


# Dense: every activation fused, arguments, rank 3 and 4 inputs.
ACTIVATIONS = sorted(a for a in keras.src.activations.ALL_OBJECTS_DICT
                     if a != "threshold" and a.islower())
for activation in ACTIVATIONS:
    add(f'Dense(4, activation="{activation}")', (3,), True)
add("Dense(3)", (4,))
add("Dense(1)", (4,), True)
add("Dense(units=3, use_bias=False)", (4,), True)
add('Dense(3, "relu", False)', (4,), True)
add('Dense(3, activation="softmax")', (2, 4), True)
add('Dense(3, activation="tanh")', (2, 4), True)
add("Dense(2)", (2, 3, 4), True, rows=2)
for arguments in ("kernel_regularizer=L2(0.01)", 'kernel_regularizer="l2"', "kernel_regularizer=L1(0.02)",
                  'kernel_regularizer="l1"', "kernel_regularizer=L1L2(l1=0.01, l2=0.02)", 'kernel_regularizer="l1l2"',
                  "bias_regularizer=L2(0.1)", "kernel_regularizer=OrthogonalRegularizer(factor=0.05)",
                  'kernel_regularizer=OrthogonalRegularizer(0.05, mode="columns")', "activity_regularizer=L2(0.1)",
                  "activity_regularizer=L1(0.1)", "activity_regularizer=L1L2(0.1, 0.2)",
                  "kernel_constraint=MaxNorm(1.0), bias_constraint=NonNeg()", "trainable=False"):
    add(f"Dense(3, {arguments})", (4,), True)
add('Dense(3, activation="relu", kernel_regularizer=L2(0.01), bias_regularizer=L1(0.02), activity_regularizer=L2(0.1))',
    (2, 4), True)

# Activations as layers.
for activation in ("relu", "softmax", "leaky_relu", "gelu", "sparsemax", "linear"):
    add(f'Activation("{activation}")', (4,), True, scale=2)
    add(f'Activation("{activation}")', (2, 3), True, scale=2, rows=3)
X = [[-30, -6.5, -3, -1.2, -1, -0.5], [-0.1, -1e-3, 1e-3, 0.1, 0.5, 0.7], [1.4, 2, 2.6, 5.5, 6.5, 30]]
for arguments in ("", "max_value=2.5", "negative_slope=0.1", "threshold=0.6", "max_value=2.5, negative_slope=0.1",
                  "max_value=2.5, negative_slope=0.1, threshold=0.6", "6.0, 0.2, 1.0"):
    add(f"ReLU({arguments})", (6,), True, rows=3, x=X)
for spec in ("LeakyReLU()", "LeakyReLU(negative_slope=0.2)", "LeakyReLU(0.05)", "ELU()", "ELU(alpha=0.5)", "ELU(2.0)"):
    add(spec, (6,), True, rows=3, x=X)
add("Embedding(5, 3)", (4,), True, rows=3, x=[[0, 4, 1, 1], [2, 2, 2, 3], [4, 0, 3, 1]])
add("Embedding(5, 2, embeddings_regularizer=L2(0.1), embeddings_constraint=NonNeg())", (1,), True, rows=4, x=[[0], [3], [3], [4]])
add('Embedding(4, 2, embeddings_initializer="ones")', (2,), True, rows=2, x=[[0, 3], [1, 3]], initial=True)
add("Embedding(input_dim=3, output_dim=2)", (2, 2), True, rows=2, x=[[[0, 2], [1, 1]], [[2, 2], [2, 0]]])
add("PReLU()", (6,), True, rows=3, x=X)
add("PReLU()", (3, 4), True, rows=4)
add("PReLU(shared_axes=[1])", (3, 4), True, rows=4)
add("PReLU(shared_axes=[2])", (3, 4), True, rows=4)
add("PReLU(shared_axes=[1, 2])", (3, 4), True, rows=4)
add("PReLU(alpha_initializer=Constant(0.25), alpha_regularizer=L2(0.1), alpha_constraint=NonNeg())", (4,), True)
add("Softmax()", (5,), True, scale=3)
add("Softmax(axis=1)", (3, 4), True, scale=3)
add("Softmax(axis=-1)", (3, 4), True, scale=3)
add("Softmax(axis=[1, 2])", (3, 4), True, scale=3)

# Normalizations.
for arguments in ("", "momentum=0.9", "epsilon=0.1", "center=False", "scale=False", "center=False, scale=False",
                  "axis=-1, momentum=0.5, epsilon=1e-5"):
    both(f"BatchNormalization({arguments})", (4,), rows=6)
both("BatchNormalization()", (3, 4), rows=4)
both("BatchNormalization(axis=1)", (3, 4), rows=4)
both("BatchNormalization()", (3, 2, 2), rows=3)
add("BatchNormalization()", (4,), True, rows=1, name="BatchNormalization() one row")
add("BatchNormalization()", (3,), True, rows=6, shift=50, name="BatchNormalization() far mean")
add("BatchNormalization(gamma_regularizer=L2(0.1), beta_regularizer=L1(0.05))", (4,), True)
both("BatchNormalization(trainable=False)", (4,), rows=6)
for arguments in ("", "epsilon=1e-5", "center=False", "scale=False", "center=False, scale=False"):
    add(f"LayerNormalization({arguments})", (5,), True)
add("LayerNormalization()", (3, 4), True)
add("LayerNormalization(axis=1)", (3, 4), True)
add("LayerNormalization(axis=[1, 2])", (3, 4), True)
add("LayerNormalization(gamma_regularizer=L2(0.1), beta_regularizer=L1(0.05))", (4,), True)
add("UnitNormalization()", (5,), True)
add("UnitNormalization(axis=1)", (3, 4), True)
add("UnitNormalization(axis=[1, 2])", (3, 4), True)
add("UnitNormalization()", (3,), True, rows=2, x=[[0, 0, 0], [3, 0, 4]], name="UnitNormalization() zero row")
add("RMSNormalization()", (5,), True)
add("RMSNormalization(epsilon=0.1)", (5,), True)
add("RMSNormalization()", (3, 4), True)
# RMSNormalization(axis=1) on rank 3 fails in Keras 3.15 on jax (its scale is not broadcast to the axis).
add("RMSNormalization(axis=[1, 2])", (3, 4), True)
for spec in ("Normalization(mean=1.5, variance=4.0)", "Normalization(mean=[1.0, 2.0, 3.0], variance=[1.0, 4.0, 0.25])",
             "Normalization(axis=None, mean=1.5, variance=4.0)", "Normalization(mean=1.5, variance=4.0, invert=True)",
             "Normalization(-1, [1.0, 2.0, 3.0], [1.0, 0.0, 0.25])"):
    add(spec, (3,), scale=0.8 if "0.0, 0.25" not in spec else 1e-6)
add("Normalization(mean=[1.0, 2.0, 3.0], variance=[1.0, 4.0, 0.25])", (2, 3))


def table(rng, shape=(11, 3)):
    return rng.normal(3, 2, shape) * (1 + np.arange(shape[-1]))


add("Normalization()", (3,), adapt=table, name="Normalization() adapted", shift=3)
add("Normalization(axis=-1, invert=True)", (3,), adapt=table, name="Normalization(invert=True) adapted")
add("Normalization(axis=None)", (3,), adapt=table, name="Normalization(axis=None) adapted", shift=3)
for spec in ("Normalization()", "Normalization(axis=1)", "Normalization(axis=[1, 2])", "Normalization(axis=None)"):
    add(spec, (2, 3), adapt=lambda r: table(r, (7, 2, 3)), name=spec + " adapted", shift=3)


def constant_column(rng):
    data = table(rng)
    data[:, 1] = 5
    return data


add("Normalization()", (3,), adapt=constant_column, name="Normalization() adapted constant column", rows=3,
    x=[[1, 5, 2], [3, 5, 7], [0, 5, 4]])

# The rest.
for arguments in ("0.5", "scale=0.00392156862745098, offset=-0.5", "2.0, offset=1.0", "scale=[1.0, 2.0, 3.0]"):
    add(f"Rescaling({arguments})", (3,), True)
for spec in ("Flatten()", "Reshape((4, 3))", "Reshape((-1, 2))", "Reshape(target_shape=(12,))", "Identity()"):
    add(spec, (2, 3, 2), True, rows=2)
add("Flatten()", (4,), True)
add("Reshape((2, 3))", (6,), True)
for arguments in ("", "l1=0.1", "l2=0.1", "l1=0.05, l2=0.2"):
    add(f"ActivityRegularization({arguments})", (4,), True)
add("ActivityRegularization(l2=0.1)", (2, 3), True, rows=4)
for spec in ("Dropout(0.5)", "Dropout(0.3, noise_shape=(None, 1), seed=7)", "AlphaDropout(0.3)", "GaussianNoise(0.5)",
             "GaussianDropout(0.4)", "Dropout(0.0)"):
    add(spec, (4,), False)
add("Dropout(0.0)", (4,), True)
add("GaussianNoise(0.0)", (4,), True)

# Every argument at another value than its default, negative axes, ranks above 2.
add("Dense(3, kernel_initializer=Constant(0.25), bias_initializer=Ones())", (4,), True, initial=True)
add('Dense(3, kernel_initializer="ones", bias_initializer="ones")', (4,), True, initial=True)
add("Dense(4, kernel_initializer=IdentityInitializer(gain=0.5))", (4,), True, initial=True)
add("Dense(3, bias_regularizer=L1L2(0.1, 0.2), bias_constraint=MaxNorm(1.0))", (4,), True)
add('Dense(4, activation="relu", use_bias=False)', (2, 2, 3), True, rows=2)
add('Dense(3, activation="softmax")', (2, 2, 3), True, rows=2)
add('Dense(4, activation="glu")', (2, 3), True)
add('Dense(3, activation=LeakyReLU(0.1))', (4,), True)
add('Dense(3, activation=ReLU(max_value=1.0, negative_slope=0.2))', (4,), True)
add('Activation("glu")', (2, 4), True)
add('Flatten(data_format="channels_last")', (2, 3), True)
for spec in ("Reshape((2, -1, 3))", "Reshape((1, 12, 1))", "Reshape([6, 2])"):
    add(spec, (4, 3), True, rows=2)
for spec in ("Permute((2, 1))", "Permute([1, 2])"):
    add(spec, (3, 4), True, rows=3)
add("Permute((3, 1, 2))", (2, 3, 4), True, rows=2)
add("Permute(dims=(2, 3, 1))", (2, 3, 4), True, rows=2)
add("RepeatVector(3)", (4,), True, rows=2)
add("RepeatVector(n=1)", (4,), True, rows=2)
for axis in (-2, 2):
    add(f"Softmax(axis={axis})", (3, 4, 2), True, scale=3, rows=3)
add("Softmax(axis=[-2, -1])", (3, 4), True, scale=3)
add("PReLU(alpha_initializer=Constant(0.3))", (2, 3), True, initial=True)
add("ELU(0.7)", (2, 3), True)
add("ReLU(max_value=1.0)", (2, 3), True)
add("Rescaling(scale=[1.0, 2.0, 3.0], offset=[0.5, 0.0, -0.5])", (2, 3), True)
both("BatchNormalization(axis=-2)", (3, 4), rows=4)
both("BatchNormalization(axis=2)", (3, 4), rows=4)
both("BatchNormalization(axis=1, epsilon=0.01, momentum=0.8)", (3, 2, 2), rows=3)
add("BatchNormalization(beta_initializer=Constant(0.3), gamma_initializer=Constant(1.5), moving_mean_initializer=Constant(0.2), "
    "moving_variance_initializer=Constant(2.0), beta_constraint=NonNeg(), gamma_constraint=MaxNorm(1.0))", (4,), True, initial=True)
add("BatchNormalization(beta_initializer=Constant(0.3), gamma_initializer=Constant(1.5), moving_mean_initializer=Constant(0.2), "
    "moving_variance_initializer=Constant(2.0))", (4,), initial=True)
for axis in ("-2", "[-2, -1]", "[1]", "[2, 1]"):
    add(f"LayerNormalization(axis={axis})", (3, 4), True)
add("LayerNormalization(axis=[-1, 1])", (3, 4, 2), True, rows=3)
add("LayerNormalization(axis=2, epsilon=0.1, center=False)", (3, 4, 2), True, rows=3)
add("LayerNormalization(beta_initializer=Constant(0.3), gamma_initializer=Constant(1.5), beta_constraint=NonNeg(), gamma_constraint=MaxNorm(1.0))",
    (4,), True, initial=True)
for axis in ("-2", "[-1, -2]", "2"):
    add(f"UnitNormalization(axis={axis})", (3, 4), True)
add("RMSNormalization(axis=[-1, -2], epsilon=0.01)", (3, 4), True)
add("RMSNormalization()", (2, 3, 4), True, rows=2)
add("RMSNormalization(axis=-1)", (3, 4), True)
for spec in ("GroupNormalization(groups=2)", "GroupNormalization(groups=1)", "GroupNormalization(groups=-1)", "GroupNormalization(groups=3, epsilon=0.1)",
             "GroupNormalization(2, center=False)", "GroupNormalization(2, scale=False)", "GroupNormalization(2, center=False, scale=False)",
             "GroupNormalization(groups=2, beta_regularizer=L1(0.05), gamma_regularizer=L2(0.1))"):
    add(spec, (6,), True)
add("GroupNormalization(groups=2, beta_initializer=Constant(0.3), gamma_initializer=Constant(1.5), beta_constraint=NonNeg(), "
    "gamma_constraint=MaxNorm(1.0))", (6,), True, initial=True)
add("GroupNormalization(groups=2)", (3, 4), True)
add("GroupNormalization(groups=2, axis=1)", (4, 3), True)
add("GroupNormalization(groups=2, axis=-1)", (2, 3, 4), True, rows=2)
for spec in ("Normalization(axis=-2)", "Normalization(axis=[-1])", "Normalization(axis=[-2, -1])", "Normalization(axis=2, invert=True)"):
    add(spec, (2, 3), adapt=lambda r: table(r, (7, 2, 3)), name=spec + " adapted", shift=3)
add("Normalization(axis=1, mean=[1.0, 2.0], variance=[4.0, 0.25])", (2, 3))
add("Normalization(axis=-2, mean=[1.0, 2.0], variance=[4.0, 0.25], invert=True)", (2, 3))
for spec in ("Dropout(0.5, seed=3)", "AlphaDropout(0.3, seed=3)", "GaussianNoise(0.5, seed=3)", "GaussianDropout(0.4, seed=3)"):
    add(spec, (2, 3), False)

write("layers", cases)
