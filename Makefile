# `make` alone lists the targets. Each sets up what it needs under .venv/; only Python 3.11 or newer must be there.
PYTHON ?= python3
BUILD ?= .aws-sam/build

set_up  := @$(PYTHON) -m infra.setup
project := .venv/project/bin
sam     := SAM_CLI_TELEMETRY=0 .venv/sam/bin/sam
whole   := .aws-sam/template.yaml
join    := @$(project)/python -m infra.template $(whole)
rules_of_money := @PYTHONPATH=functions $(project)/python -m infra.policies
regions := $$($(project)/python -m infra.regions)
compile := .venv/lock/bin/uv pip compile --quiet --no-config --universal --python-version 3.11 --generate-hashes \
           --no-strip-extras --no-header --no-emit-index-url --no-emit-find-links

# Words and entropy are ruff's (S105 to S107): here they find the hashes of locks and of test data.
quiet_about := --disable-plugin KeywordDetector --disable-plugin Base64HighEntropyString --disable-plugin HexHighEntropyString

.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r target words; do printf '  make %-14s %s\n' "$$target" "$$words"; done

.PHONY: run
run: ## start everything on this machine; Ctrl-C ends it
	$(set_up) run emulator
	@$(project)/python -m infra.local up

.PHONY: stop
stop: ## end what `make run` started elsewhere
	@if test -x $(project)/python; then $(project)/python -m infra.local stop; fi

.PHONY: logs
logs: ## follow the functions' logs
	$(set_up) run
	@$(project)/python -m infra.local logs

.PHONY: test
test: ## run the tests, but for the slow ones
	$(set_up) test emulator
	@$(project)/python -m pytest -n 2 --dist loadgroup

.PHONY: test-slow
test-slow: ## run the tests that take more than a minute each
	$(set_up) test emulator
	@$(project)/python -m pytest -m slow

.PHONY: test-dynamodb
test-dynamodb: ## run the stores' tests on DynamoDB Local, in the folder GHARAMA_DYNAMODB_LOCAL
	@test -f "$$GHARAMA_DYNAMODB_LOCAL/DynamoDBLocal.jar" || { echo 'GHARAMA_DYNAMODB_LOCAL must name the folder of DynamoDBLocal.jar' >&2; exit 2; }
	$(set_up) test emulator
	@$(project)/python -m pytest -k dynamodb_local

.PHONY: rights
rights: ## run the end-to-end tests and find rights that are granted and never used
	$(set_up) test emulator
	@$(project)/python -m pytest tests/e2e -m 'not slow and not bench' -n 0

.PHONY: drill
drill: ## break three links on a local cloud, mend them by the runbook, see that nothing is lost
	$(set_up) test emulator
	@echo "A minute of an alarm passes in a second here; its periods are shown from the latest on."
	@$(project)/python -m pytest -m slow tests/e2e/test_drill.py -n 0 -p no:randomly -v --no-header

.PHONY: load
load: ## five minutes of mixed load on a local cloud of its own
	$(set_up) test emulator
	@PYTHONPATH=functions $(project)/python -m tests.load --minutes $(or $(MINUTES),5)

ingest_benches := $(addprefix tests/bench/test_load_,cost.py memory.py national.py)
measure        := $(project)/python -m pytest -m bench -p no:randomly

.PHONY: bench
bench: ## measure and print speed and memory, but for the loading of files
	$(set_up) test emulator bench
	@$(measure) tests/bench $(addprefix --ignore=,$(ingest_benches))

.PHONY: bench-ingest
bench-ingest: ## measure the loading of files, up to the national one (half an hour)
	$(set_up) test bench
	@$(measure) $(ingest_benches)

.PHONY: check
check: ## lint, types, the template, weaknesses and secrets
	$(set_up) test sam security
	@$(project)/ruff check .
	@$(project)/ruff format --check .
	@$(project)/mypy
	$(rules_of_money)
	$(join)
	@$(project)/cfn-lint --regions $(regions) -- $(whole)
	@$(project)/cfn-lint --regions us-east-1 -- infra/edge.yaml
	@for region in $(regions); do $(sam) validate --lint --region $$region --template $(whole) || exit; done
	@.venv/security/bin/checkov --config-file infra/checkov.yaml --file $(whole) infra/edge.yaml
	@git ls-files -z | xargs -0 $(project)/detect-secrets-hook --no-verify $(quiet_about)

.PHONY: audit
audit: ## known weaknesses of the locked packages (asks PyPI's advisories, so it needs the network)
	$(set_up) security
	@.venv/security/bin/pip-audit --disable-pip --require-hashes -r functions/requirements.txt

.PHONY: build
build: ## build the functions for AWS (needs python3.13 on the PATH)
	$(set_up) run sam
	$(rules_of_money)
	$(join)
	@$(sam) build --template $(whole) --config-file $(CURDIR)/samconfig.toml --build-dir $(BUILD)
	@$(project)/python -m infra.package $(BUILD)

named_env = @case "$(ENV)" in dev|staging|prod) ;; *) echo 'ENV must be dev, staging or prod' >&2; exit 2;; esac

.PHONY: deploy
deploy: ## ENV=dev|staging|prod: check, build and deploy to AWS; REPLACE='...': what holds data and may be replaced all the same
	$(named_env)
	@$(MAKE) --no-print-directory preflight check build
	@$(sam) deploy --config-env $(ENV) --no-execute-changeset --no-fail-on-empty-changeset
	@$(in_env) export STACK=gharama-$(ENV) && \
	  $(MAKE) --no-print-directory execute-changes && $(MAKE) --no-print-directory reindex-rises APPLY=1

in_env = export AWS_DEFAULT_REGION="$$($(project)/python -m infra.regions $(ENV))" &&

.PHONY: preflight
preflight: ## ENV=...: what stands in a deployment's way in this account, and the page to be signed; `make deploy` does it
	$(named_env)
	$(set_up) run
	@$(in_env) $(operator) preflight

.PHONY: remove-leftovers
remove-leftovers: ## ENV=... WORD=<stack>: take away what a first deployment that failed has left, where all of it is empty
	$(named_env)
	$(set_up) run
	@$(in_env) $(operator) remove-leftovers --word "$$WORD"

preflight remove-leftovers: STACK = gharama-$(ENV)

.PHONY: execute-changes
execute-changes: ## execute the change set that waits, unless it replaces or removes what holds data; `make deploy` does it
	$(set_up) run
	@$(operator) execute-changes --replacing "$$REPLACE"

.PHONY: protect
protect: ## let the stack refuse to replace, remove and delete what holds data; `make deploy` does it
	$(set_up) run
	@$(operator) protect $(apply)

.PHONY: deploy-edge
deploy-edge: ## ENV=... DOMAIN=... CERTIFICATE=arn:...: CloudFront and its firewall in front of a platform with Edge=on
	$(named_env)
	$(set_up) run sam
	@parameters=$$($(project)/python -m infra.edge gharama-$(ENV) $(and $(RENEW),--renew)) && \
	  $(sam) deploy --config-env edge --template infra/edge.yaml --stack-name gharama-$(ENV)-edge \
	  --parameter-overrides DomainName=$(DOMAIN) CertificateArn=$(CERTIFICATE) $$parameters

# What people write may hold quotes, dollars and spaces: it goes through the environment, as it stands.
as_it_stands := WORD REPLACE SINCE TABLES AT FILE AS_OF ACCEPT NAMES ID KEY REASON PLATE RECEIPT PAYMENT VIOLATION PHONE
$(foreach name,$(as_it_stands),$(eval override $(name) := $$(value $(name))))
export $(as_it_stands)

# The operator's commands, on AWS or with the addresses that `make run` prints in the environment on the local cloud.
STACK   ?= gharama
operator = PYTHONPATH=functions $(project)/python -m infra.operator --stack $(STACK)
apply    = $(if $(APPLY),--apply)

.PHONY: replay
replay: ## QUEUE=SmsDeadLetters: give what failed again; without QUEUE, say where what lies
	$(set_up) run
	@$(operator) replay $(QUEUE) $(apply)

.PHONY: file-status
file-status: ## KEY=live/today.csv: how a file of the directorate stands
	$(set_up) run
	@$(operator) file-status -- "$$KEY"

.PHONY: payment-trail
payment-trail: ## ID=...: what happened to a payment
	$(set_up) run
	@$(operator) payment-trail -- "$$ID"

.PHONY: refunds
refunds: ## the payments of which money is to be given back
	$(set_up) run
	@$(operator) refunds

.PHONY: find
find: ## RECEIPT=|PAYMENT=|VIOLATION=|PHONE= REASON='...': what whoever answers the phone needs to know
	$(set_up) run
	@$(operator) find --receipt "$$RECEIPT" --payment "$$PAYMENT" --violation "$$VIOLATION" --phone "$$PHONE" --reason "$$REASON"

.PHONY: who-looked
who-looked: ## PLATE='...' REASON='...': who looked at a plate, for an investigator
	$(set_up) run
	@$(operator) who-looked --reason "$$REASON" -- "$$PLATE"

# Not a terminal's height, which shells and tools put into the environment under the same name.
named_lines = $(if $(filter command,$(origin LINES)),--lines "$$LINES")

.PHONY: decide-payment
decide-payment: ## ID=... DECISION=... [LINES='...'] REASON='...': what only a person can decide of a payment's money
	$(set_up) run
	@$(operator) decide-payment --reason "$$REASON" $(named_lines) $(apply) -- $(DECISION) "$$ID"

.PHONY: pause
pause: ## WHAT=sms|payments|ingest|gateway-... REASON='...': stop a part at once; nothing is lost
	$(set_up) run
	@$(operator) pause --reason "$$REASON" $(apply) -- $(WHAT)

.PHONY: resume
resume: ## WHAT=sms|payments|ingest|gateway-...: let it go on
	$(set_up) run
	@$(operator) resume $(WHAT) $(apply)

.PHONY: rollback-file
rollback-file: ## KEY=live/wrong.csv REASON='...': undo what the newest version of a file changed
	$(set_up) run
	@$(operator) rollback-file --reason "$$REASON" $(apply) -- "$$KEY"

.PHONY: accept-reopened
accept-reopened: ## KEY=live/old.csv REASON='...': take rejected rows that open again what was paid or cancelled
	$(set_up) run
	@$(operator) accept-reopened '$(KEY)' --reason '$(REASON)' $(apply)

.PHONY: release-news
release-news: ## KEY=live/large.csv REASON='...': let followers hear of the news that a large file holds back
	$(set_up) run
	@$(operator) release-news --reason "$$REASON" $(apply) -- "$$KEY"

.PHONY: release-registry
release-registry: ## KEY=registry/a.csv REASON='...': let a registration file replace the numbers that wait
	$(set_up) run
	@$(operator) release-registry --reason "$$REASON" $(apply) -- "$$KEY"

.PHONY: adopt
adopt: ## NAMES='Violations=...': make a stack that was deleted of what it left behind, before `make deploy`
	$(set_up) run
	@$(operator) adopt --names "$$NAMES" $(apply)

.PHONY: restore-tables
restore-tables: ## TABLES='...' AT=2026-11-25T14:30:00: restore tables to one instant, each into a new one beside it
	$(set_up) run
	@$(operator) restore-tables --tables "$$TABLES" --at "$$AT" $(apply)

.PHONY: copy-back
copy-back: ## TABLES='...' AT=... REASON='...': make live tables what those hold that were restored to an instant
	$(set_up) run
	@$(operator) copy-back --tables "$$TABLES" --at "$$AT" --reason "$$REASON" $(apply)

.PHONY: reload-files
reload-files: ## SINCE=...: load the files again that came after the instant to which tables were restored
	$(set_up) run
	@$(operator) reload-files --since "$$SINCE" $(apply)

.PHONY: check-books
check-books: ## SINCE=2026-11-25T14:30:00: where the tables contradict one another; bring in what the log kept since a restore's instant
	$(set_up) run
	@$(operator) check-books --since "$$SINCE" $(apply)

.PHONY: figures
figures: ## DAY=2026-11-25: write the figures of a day whose night failed
	$(set_up) run
	@$(operator) figures '$(DAY)' $(apply)

.PHONY: preview-policy
preview-policy: ## FILE=new.json: how many fines and dinars another set of rules would touch
	$(set_up) run
	@$(operator) preview-policy -- "$$FILE"

.PHONY: reindex-rises
reindex-rises: ## bring the days by which reminders find fines up to the rules in force; `make deploy` does it
	$(set_up) run
	@$(operator) reindex-rises $(apply)

.PHONY: add-plate-key
add-plate-key: ## add a version to the key of fingerprints, where it may be known to others
	$(set_up) run
	@$(operator) add-plate-key $(apply)

.PHONY: rekey-registry
rekey-registry: ## take the registry to the newest version of the key; a day after it was added, and again a day later
	$(set_up) run
	@$(operator) rekey-registry $(apply)

.PHONY: sms-attributes
sms-attributes: ## let SNS write delivery logs: once after the first deployment
	$(set_up) run
	@$(operator) set-sms-attributes $(apply)

.PHONY: prepare
prepare: ## FILE=export.csv FOLDER=backlog|live ENCODING=... AS_OF=... ACCEPT=... NAMES=...: check a file as the cloud would, and cut it
	$(set_up) run
	@$(project)/python -m infra.prepare --folder $(or $(FOLDER),backlog) --encoding $(or $(ENCODING),utf-8) --as-of "$$AS_OF" \
	  --accept "$$ACCEPT" --names "$$NAMES" -- "$$FILE"

.PHONY: openapi
openapi: ## write the API's description anew after a change of the API
	$(set_up) run
	@PYTHONPATH=functions $(project)/python -m infra.openapi

.PHONY: alarms
alarms: ## write the alarms and the dashboard anew after a change of infra/objectives.toml or of a queue
	$(set_up) run
	@$(project)/python -m infra.alarms

.PHONY: texts
texts: ## publish the texts of the SMS anew after a change of them
	$(set_up) run
	@PYTHONPATH=functions $(project)/python -m infra.sms_texts

.PHONY: cost
cost: ## dollars for a year of the country's load
	$(set_up) run
	@$(project)/python -m infra.cost

.PHONY: size
size: ## lines of functions, infra, tests and docs, and counts of parameters, targets and test helpers
	$(set_up) run
	@$(project)/python -m infra.size

.PHONY: diagrams
diagrams: ## draw the states of a payment into docs/payments.md anew after a change of them
	$(set_up) run
	@PYTHONPATH=functions $(project)/python -m infra.diagrams

.PHONY: docs
docs: ## write the generated parts of the documents anew after a change of template.yaml or of what is kept of a person
	$(set_up) run
	@PYTHONPATH=functions $(project)/python -m infra.docs_tables

.PHONY: lock
lock: ## resolve the lock files anew after a change of a .in file
	$(set_up) lock
	@$(compile) functions/requirements.in -o functions/requirements.txt
	@$(compile) infra/locks/local.in -c functions/requirements.txt -o infra/locks/local.txt
	@$(compile) infra/locks/test.in -c functions/requirements.txt -c infra/locks/local.txt -o infra/locks/test.txt
	@$(compile) infra/locks/emulator.in -o infra/locks/emulator.txt
	@$(compile) infra/locks/bench.in -c functions/requirements.txt -c infra/locks/local.txt -o infra/locks/bench.txt
	@$(compile) infra/locks/sam.in -o infra/locks/sam.txt
	@$(compile) infra/locks/security.in -o infra/locks/security.txt
	@$(compile) infra/locks/lock.in -o infra/locks/lock.txt

.PHONY: clean
clean: stop ## drop the local cloud's data
	@rm -rf .local

.PHONY: distclean
distclean: clean ## drop everything that was made here: environments and caches too
	@rm -rf .venv .aws-sam .pytest_cache .mypy_cache .ruff_cache .hypothesis functions/ingest/reporting/help.html
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
