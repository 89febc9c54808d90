"""PyTorch DistributedDataParallel over gloo. Prints samples/s of each epoch after the first.
usage: torch_ddp.py BATCH EPOCHS RANKS [HOST:PORT RANK]   without the last two it starts its ranks itself"""
import os
import sys
import time

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from data import SIZES, training_rows


def work(rank, ranks, batch, epochs, address):
    torch.set_num_threads(1)
    host, port = address.split(":")
    os.environ.update(MASTER_ADDR=host, MASTER_PORT=port)
    dist.init_process_group("gloo", rank=rank, world_size=ranks)
    torch.manual_seed(42)
    layers = []
    for a, b in zip(SIZES, SIZES[1:]):
        layers += [torch.nn.Linear(a, b), torch.nn.ReLU()]
    model = torch.nn.parallel.DistributedDataParallel(torch.nn.Sequential(*layers[:-1]))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    loss = torch.nn.CrossEntropyLoss()
    images, labels = (torch.from_numpy(a) for a in training_rows())
    labels = labels.long()
    steps = len(images) // batch
    local = batch // ranks
    for epoch in range(epochs + 1):
        order = torch.randperm(len(images), generator=torch.Generator().manual_seed(epoch))
        dist.barrier()
        start = time.perf_counter()
        for step in range(steps):
            rows = order[step * batch + rank * local: step * batch + (rank + 1) * local]
            optimizer.zero_grad()
            loss(model(images[rows]), labels[rows]).backward()
            optimizer.step()
        dist.barrier()
        if rank == 0 and epoch:
            print(steps * batch / (time.perf_counter() - start), flush=True)
    dist.destroy_process_group()


if __name__ == "__main__":
    batch, epochs, ranks = (int(a) for a in sys.argv[1:4])
    if len(sys.argv) > 4:
        work(int(sys.argv[5]), ranks, batch, epochs, sys.argv[4])
    else:
        mp.spawn(work, (ranks, batch, epochs, "127.0.0.1:29517"), nprocs=ranks)
