#!/usr/bin/env bash
# GitLab's API client for JavaScript. Its Go client is a module that the tests
# import. Usage: gitlab.sh
cd "$(dirname "$0")" && . ./lib.sh
npm_dir gitbeaker @gitbeaker/rest@43.8.0
