"""Runs a command and prints "peak_memory KILOBYTES", the most memory that it held at once (shared pages included)."""
import resource
import subprocess
import sys

code = subprocess.call(sys.argv[1:])
print(f"\npeak_memory {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss}", flush=True)
sys.exit(code)
