# Two targets are all that a fresh machine needs: `make run` and `make test`.
VENV := .venv/bin

.PHONY: run demo test lint setup lock audit screenshots soak clean

run: ## install what is missing and open the window (without a display: the demo)
	@tools/setup.sh run
	@if [ "$$(uname -s)" = Linux ] && [ -z "$$DISPLAY$$WAYLAND_DISPLAY$$QT_QPA_PLATFORM" ]; then \
	    echo "There is no display here to open the window on; running the demo instead: ethereal demo"; \
	    $(VENV)/ethereal demo; \
	else \
	    $(VENV)/ethereal; \
	fi

demo: ## the bundled song through the real queue to real videos
	@tools/setup.sh run
	@$(VENV)/ethereal demo

test: lint ## everything that has to hold: style, types, architecture, all tests
	@QT_QPA_PLATFORM=offscreen $(VENV)/python -m pytest -n 2 --dist loadfile

lint:
	@tools/setup.sh test
	@$(VENV)/ruff format --check
	@$(VENV)/ruff check
	@$(VENV)/mypy
	@$(VENV)/lint-imports

setup:
	@tools/setup.sh test

lock: ## write the lock files again from pyproject.toml (needs uv)
	@tools/lock.sh

audit: ## whether anything that is locked has a known vulnerability (asks PyPI); a package that cannot be looked up fails
	@python3 -m venv out/audit
	@out/audit/bin/pip install --quiet pip-audit
	@out/audit/bin/pip-audit --strict --no-deps --disable-pip --requirement requirements-dev.lock

screenshots: ## every state of the window as PNG, into out/screenshots
	@tools/setup.sh test
	@QT_QPA_PLATFORM=offscreen $(VENV)/python tools/screenshots.py out/screenshots

clean:
	@rm -rf .venv out build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

soak: ## the long versions of all faults, a hundred rounds of random kills, every odd input rendered, files spoilt at random
	@tools/setup.sh test
	@QT_QPA_PLATFORM=offscreen ETHEREAL_SOAK=1 $(VENV)/python -m pytest --timeout 1800 tests/faults
	@$(VENV)/python -m tests.faults.kill_rounds 100
	@$(VENV)/python -m tests.corpus.full
	@$(VENV)/python -m tests.fuzz.probe_fuzz --seconds 600
