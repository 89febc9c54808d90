"""Keras' fit on JAX, one process on all cores, compiled by XLA as Keras does it by default."""
import os

os.environ["KERAS_BACKEND"] = "jax"
import keras
from common import SIZES, Clock, arguments, training_rows

options = arguments()
images, labels = training_rows(options.rows)
model = keras.Sequential([keras.Input((784,))] + [keras.layers.Dense(n, activation="relu") for n in SIZES[1:-1]]
                         + [keras.layers.Dense(10, activation="softmax")])
model.compile(loss="sparse_categorical_crossentropy", optimizer=keras.optimizers.SGD(0.01), metrics=["accuracy"])
clock = Clock()


class Epochs(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        clock.begin()

    def on_epoch_end(self, epoch, logs=None):
        clock.end(len(images), epoch > 0)


model.fit(images, labels, batch_size=options.batch, epochs=options.epochs + 1, verbose=0, callbacks=[Epochs()])
clock.report(version=keras.__version__)
