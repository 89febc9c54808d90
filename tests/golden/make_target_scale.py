"""Writes target_scale.json: two targets of unlike size, standardised by the first 10 of 14 rows, and 30 epochs of full-batch
gradient descent on them by a linear model that begins at zero, in float64. Loss of standardised targets, mae and mse in units.
"""
import json
import os

import numpy as np

rng = np.random.default_rng(14)
rows, train, epochs, rate = 14, 10, 30, 0.1
x = rng.normal(size=(rows, 3)).round(3)
y = np.column_stack([1000 + 200 * (x @ [1, -0.5, 0.2]) + rng.normal(size=rows) * 20, 0.01 * x[:, 0] - 0.3]).round(6)
x, y = x.astype(np.float32).astype(np.float64), y.astype(np.float32).astype(np.float64)
mean, deviation = y[:train].mean(axis=0), y[:train].std(axis=0)
w, b = np.zeros((3, 2)), np.zeros(2)
for _ in range(epochs):
    z = x[:train] @ w + b
    error = z - (y[:train] - mean) / deviation
    loss, units = (error**2).mean(), z * deviation + mean - y[:train]
    w -= rate * x[:train].T @ error * 2 / error.size
    b -= rate * error.sum(axis=0) * 2 / error.size
predictions = (x @ w + b) * deviation + mean
error, units_after = (predictions - y)[train:] / deviation, (predictions - y)[train:]
csv = "a,b,c,rent,share\n" + "".join(",".join(f"{v:.9g}" for v in np.concatenate([p, q])) + "\n" for p, q in zip(x, y))
case = {"name": "linear", "csv": csv, "mean": mean.tolist(), "deviation": deviation.tolist(), "loss": loss,
        "mae": np.abs(units).mean(), "mse": (units**2).mean(), "val_loss": (error**2).mean(), "val_mae": np.abs(units_after).mean(),
        "predictions": predictions.tolist()}
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "target_scale.json"), "w") as file:
    json.dump({"numpy": np.__version__, "cases": [case]}, file, indent=1)
    file.write("\n")
