# The product's verbs. Each is one line here; what it does is in package.json or a script.
.PHONY: demo test check types lint layers unused unit kafka bench bench-close bench-collect bench-detect bench-energy bench-serve prove score format audit clean

install := node_modules/.package-lock.json

demo: $(install)
	@npm run --silent tally -- demo --no-open

test: $(install)
	@node --import tsx infra/suite/main.ts

check: types lint layers unused

types lint layers unused format: $(install)
	@npm run --silent $@

# Unit tests alone: no services, seconds.
unit: $(install)
	@node --import tsx infra/suite/main.ts unit

# Starts a Kafka broker for development on 127.0.0.1:9092; `make kafka-stop` ends it.
kafka: ; @infra/kafka/start.sh
kafka-stop: ; @infra/kafka/stop.sh

bench: $(install)
	@infra/bench/run.sh
	@$(MAKE) --no-print-directory bench-close
	@$(MAKE) --no-print-directory bench-serve

# Closes generated months of 1, 10 and 100 M events; EVENTS can be set.
bench-close: $(install)
	@node --import tsx infra/bench/close/main.ts

# One collector on one core: 20 k native events/s, 5 k spans/s, both; flooded; killed at full load.
bench-collect: $(install)
	@infra/prove/collect.sh

# Ticks of detection for 10,000 tenants with 5 models each: CPU seconds, bytes of state, and both after days.
bench-detect: $(install)
	@infra/bench/tick/run.sh

# What energy adds to the CPU of landing and of settling, in some ten minutes of pairs; fails unless shown to be below 5 % of landing.
bench-energy: $(install)
	@node --import tsx infra/bench/energy/main.ts

# Detection, delay, false findings and attribution of each signal: writes infra/SCOREBOARD.md.
score: $(install)
	@node --import tsx infra/score/main.ts

# How fast the API answers over CALLS millions of settled calls (1,10,100), and what its cube costs. The
# lakes are kept in .tmp/bench: the largest takes 4.5 GB and ten minutes to write.
bench-serve: $(install)
	@node --import tsx infra/bench/serve/main.ts

# Known holes in the packages that run; asks the registry, so it is no part of the suite.
audit: $(install)
	@npm audit --omit=dev --audit-level=moderate

# What takes too long for the suite: one script a proof.
prove: $(install)
	@for proof in infra/prove/*.sh; do echo "== $$proof"; "$$proof" || exit 1; done

$(install): package.json package-lock.json
	@npm ci --no-fund --no-audit
	@touch $@
