#!/bin/bash
# tests/interop/run_report.sh PROGRAM: reports in a real browser (Debian's chromium, installed when it is missing), as wide
# as a phone and as a desk: nothing is wider than its window and the console stays empty. Leaves screenshots in
# $TMPDIR/nntrain-report. Not a default test: it needs the network once.
set -euo pipefail
program=$(readlink -f "${1:?usage: tests/interop/run_report.sh PROGRAM}")
source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
command -v chromium > /dev/null || apt-get -q -y --no-install-recommends install chromium
work=${TMPDIR:-/tmp}/nntrain-report
rm -rf "$work" && mkdir -p "$work"
cd "$source_dir"
source launch/common.sh
prepare_mpi

browse() {
  timeout 120 chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --allow-file-access-from-files \
    --user-data-dir="$work/profile" --enable-logging=stderr "$@"
}

for name in multiclass_iris binary_breast_cancer multilabel_breast_cancer regression_diabetes; do
  inputs=$(sed -n 's/^inputs *= *//p' "configs/$name.ini")
  mpirun -np 2 --oversubscribe "$program" train "configs/$name.ini" --fit.verbose=0 --checkpoint.path="$work/$name.h5"
  "$program" report "$work/$name.h5" --data.inputs="$inputs" --output="$work/$name.html"
  for section in "Where the time went" "Waiting" "Confusion matrix\|Residuals\|All labels\|Labels"; do
    grep -q "<h[23]>\($section\)" "$work/$name.html" || { echo "$name.html has no section \"$section\""; exit 1; }
  done
  "$program" evaluate "$work/$name.h5" --data.inputs="$inputs" --output="$work/${name}_evaluation.html" > /dev/null
  for page in "$name" "${name}_evaluation"; do
    for width in 360 1200; do
      # A page around the page measures it, so that the report itself stays as it is.
      cat > "$work/measure.html" << END
<!DOCTYPE html><title>measure</title><body><iframe src="$page.html" style="width:${width}px;height:900px;border:0"
onload="let d=this.contentDocument;d.querySelectorAll('details').forEach(e=>e.open=true);
let w=d.documentElement.scrollWidth;document.body.append('scroll width '+w)"></iframe></body>
END
      browse --dump-dom "file://$work/measure.html" > "$work/dom.txt" 2> "$work/console.txt"
      wide=$(sed -n 's/.*scroll width \([0-9]*\).*/\1/p' "$work/dom.txt")
      [[ -n $wide && $wide -le $width ]] || { echo "$page.html needs ${wide:-?} pixels in a window of $width"; exit 1; }
      if grep -i CONSOLE "$work/console.txt"; then echo "$page.html speaks on the console"; exit 1; fi
      echo "$page.html fits $width pixels"
    done
  done
  browse --window-size=1200,4000 --screenshot="$work/$name.png" "file://$work/$name.html" 2> /dev/null
done
echo "Screenshots: $work/*.png"
