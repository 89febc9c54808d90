"""Writes tables.json: what pandas reads of the files in tables/, and the options with which our reader must read the same.

The files are one set of 60 made-up houses in the forms that people's exports have; tables/make_files.py wrote them (seeded).
Every case: the file, our options, the names of the values, and the values that pandas gives, as float32.
"""
import json
import os

import numpy as np
import pandas as pd

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "tables")
KINDS = "town: categorical, day: date, sold: ignore"


def read(name, **options):
    return pd.read_csv(os.path.join(HERE, name), **options)


def days(column, **options):
    return (pd.to_datetime(column, **options) - pd.Timestamp("1970-01-01")) // pd.Timedelta(days=1)


def features(frame, **date):
    """area, rooms, town one-hot, day: what a careful reader makes of the inputs."""
    towns = pd.get_dummies(frame["town"], prefix="town")
    return pd.concat([frame[["area", "rooms"]], towns, days(frame["day"], **date).rename("day")], axis=1)


cases = []


def case(file, values, **options):
    values = values.to_frame() if isinstance(values, pd.Series) else values
    matrix = values.to_numpy(dtype=np.float64).astype(np.float32)
    cases.append({"file": file, **options, "names": [str(c) for c in values.columns],
                  "values": [[float(v) for v in row] for row in matrix]})


def inputs(file, frame, **options):
    case(file, frame, exclude="price", columns=KINDS, **options)


def target(file, series, **options):
    case(file, series, target="price", **options)


plain = read("plain.csv")
inputs("plain.csv", features(plain))
target("plain.csv", plain["price"])
inputs("crlf_bom.csv", features(read("crlf_bom.csv", encoding="utf-8-sig")))
latin1 = read("latin1.csv", encoding="latin-1")
inputs("latin1.csv", features(latin1), encoding="latin-1")
german = read("german.csv", sep=";", decimal=",", thousands=".", dtype={"day": str})
inputs("german.csv", features(german, format="%d.%m.%Y"))
target("german.csv", german["price"])
quoted = read("quoted.csv")
inputs("quoted.csv", features(quoted))
comments = read("comments.tsv", sep="\t", comment="#")
inputs("comments.tsv", features(comments))
target("comments.tsv", comments["price"])
index = read("index.csv", index_col=0)
inputs("index.csv", features(index))
blanks = read("blanks.txt", sep=r"\s+", header=None)
case("blanks.txt", blanks)

missing = read("missing.csv", na_values=["?", "-"])
known = missing.copy()
for how, fill in (("mean", lambda c: c.mean()), ("median", lambda c: c.median()), ("most_frequent", lambda c: c.mode()[0])):
    filled = missing.copy()
    for column in ("area", "rooms"):
        filled[column] = filled[column].fillna(fill(filled[column]))
    filled["town"] = filled["town"].fillna(filled["town"].mode()[0])
    inputs("missing.csv", features(filled), missing=how)
constant = missing.copy()
constant["area"] = constant["area"].fillna(1.5)
constant["rooms"] = constant["rooms"].fillna(constant["rooms"].mean())
constant["town"] = constant["town"].fillna("Ulm")
inputs("missing.csv", features(constant), missing="mean, area: constant(1.5), town: constant(Ulm)")
marked = features(filled := missing.assign(area=missing["area"].fillna(missing["area"].mean()),
                                           rooms=missing["rooms"].fillna(missing["rooms"].mean()),
                                           town=missing["town"].fillna(missing["town"].mode()[0])))
for column, after in (("area", "area"), ("rooms", "rooms"), ("town", "town_Ulm")):
    marked.insert(marked.columns.get_loc(after) + 1, column + "_missing", missing[column].isna())
inputs("missing.csv", marked, missing="indicator")

currency = read("currency.csv")
currency["area"] = currency["area"].str.removesuffix(" m2").astype(float)
currency["price"] = currency["price"].str.replace("[$,]", "", regex=True).astype(float)
case("currency.csv", features(currency), exclude="price", columns=KINDS + ", area: numeric")
target("currency.csv", currency["price"], columns="price: numeric")

years = read("year_columns.csv")
case("year_columns.csv", pd.concat([pd.get_dummies(years["region"], prefix="region"), years[["2019", "2020"]]], axis=1),
     exclude="2021", columns="region: categorical")
stamps = read("stamps.csv")
case("stamps.csv", stamps[["when", "area"]], exclude="price")
three = read("one_to_three.csv")
case("one_to_three.csv", three["class"], target="class")
tags = read("tags.csv", keep_default_na=False)["tags"].str.get_dummies(sep=";")
case("tags.csv", tags, target="tags", labels="sets")
sold = plain["sold"].map({"no": 0, "yes": 1})
case("plain.csv", sold, target="sold", class_names=["no", "yes"])
case("german.csv", plain["sold"].map({"no": 0, "yes": 1}), target="sold", class_names=["no", "yes"])
case("plain.csv", sold, target="sold", columns="sold: boolean")

rows = [line.split() for line in open(os.path.join(HERE, "houses.svm"))]
sparse = np.zeros((len(rows), 3))
for i, (_, *pairs) in enumerate(rows):
    for pair in pairs:
        at, value = pair.split(":")
        sparse[i, int(at) - 1] = float(value)
case("houses.svm", pd.DataFrame(sparse))
case("houses.svm", pd.Series([float(row[0]) for row in rows]), target="")

with open(os.path.join(os.path.dirname(HERE), "tables.json"), "w") as file:
    json.dump({"pandas": pd.__version__, "cases": cases}, file)
    file.write("\n")
