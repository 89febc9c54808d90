"""PyTorch DistributedDataParallel over gloo, one thread a rank; with --ranks 1 plain PyTorch on --threads threads.
Starts its ranks itself, or is one of them: --rank R --address HOST:PORT. No accuracy."""
import os

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from common import SIZES, Clock, arguments, training_rows


def work(rank, options):
    torch.set_num_threads(options.threads)
    torch.manual_seed(42)
    layers = []
    for a, b in zip(SIZES, SIZES[1:]):
        layers += [torch.nn.Linear(a, b), torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1])
    if options.ranks > 1:
        host, port = options.address.split(":")
        os.environ.update(MASTER_ADDR=host, MASTER_PORT=port)
        dist.init_process_group("gloo", rank=rank, world_size=options.ranks)
        model = torch.nn.parallel.DistributedDataParallel(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    loss = torch.nn.CrossEntropyLoss()
    images, labels = (torch.from_numpy(array) for array in training_rows(options.rows))
    labels = labels.long()
    steps = options.rows // options.batch
    local = options.batch // options.ranks
    clock = Clock()
    for epoch in range(options.epochs + 1):
        order = torch.randperm(options.rows, generator=torch.Generator().manual_seed(epoch))
        if options.ranks > 1:
            dist.barrier()
        clock.begin()
        for step in range(steps):
            first = step * options.batch + rank * local
            rows = order[first:first + local]
            optimizer.zero_grad()
            loss(model(images[rows]), labels[rows]).backward()
            optimizer.step()
        if options.ranks > 1:
            dist.barrier()
        clock.end(steps * options.batch, epoch > 0)
    if rank == 0:
        clock.report(version=torch.__version__)
    if options.ranks > 1:
        dist.destroy_process_group()


if __name__ == "__main__":
    options = arguments(("--ranks", {"type": int, "default": 2}), ("--threads", {"type": int, "default": 1}),
                        ("--rank", {"type": int, "default": -1}), ("--address", {"default": "127.0.0.1:29517"}))
    if options.rank >= 0 or options.ranks == 1:
        work(max(options.rank, 0), options)
    else:
        mp.spawn(work, (options,), nprocs=options.ranks)
