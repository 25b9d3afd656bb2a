#!/bin/bash

__ems_cursor_index_in_current_word() {
    local remaining="${COMP_LINE}"

    local word
    for word in "${COMP_WORDS[@]::COMP_CWORD}"; do
        remaining="${remaining##*([[:space:]])"${word}"*([[:space:]])}"
    done

    local -ir index="$((COMP_POINT - ${#COMP_LINE} + ${#remaining}))"
    if [[ "${index}" -le 0 ]]; then
        printf 0
    else
        printf %s "${index}"
    fi
}

# positional arguments:
#
# - 1: the current (sub)command's count of positional arguments
#
# required variables:
#
# - repeating_flags: the repeating flags that the current (sub)command can accept
# - non_repeating_flags: the non-repeating flags that the current (sub)command can accept
# - repeating_options: the repeating options that the current (sub)command can accept
# - non_repeating_options: the non-repeating options that the current (sub)command can accept
# - positional_number: value ignored
# - unparsed_words: unparsed words from the current command line
#
# modified variables:
#
# - non_repeating_flags: remove flags for this (sub)command that are already on the command line
# - non_repeating_options: remove options for this (sub)command that are already on the command line
# - positional_number: set to the current positional number
# - unparsed_words: remove all flags, options, and option values for this (sub)command
__ems_offer_flags_options() {
    local -ir positional_count="${1}"
    positional_number=0

    local was_flag_option_terminator_seen=false
    local is_parsing_option_value=false

    local -ar unparsed_word_indices=("${!unparsed_words[@]}")
    local -i word_index
    for word_index in "${unparsed_word_indices[@]}"; do
        if "${is_parsing_option_value}"; then
            # This word is an option value:
            # Reset marker for next word iff not currently the last word
            [[ "${word_index}" -ne "${unparsed_word_indices[${#unparsed_word_indices[@]} - 1]}" ]] && is_parsing_option_value=false
            unset "unparsed_words[${word_index}]"
            # Do not process this word as a flag or an option
            continue
        fi

        local word="${unparsed_words["${word_index}"]}"
        if ! "${was_flag_option_terminator_seen}"; then
            case "${word}" in
            --)
                unset "unparsed_words[${word_index}]"
                # by itself -- is a flag/option terminator, but if it is the last word, it is the start of a completion
                if [[ "${word_index}" -ne "${unparsed_word_indices[${#unparsed_word_indices[@]} - 1]}" ]]; then
                    was_flag_option_terminator_seen=true
                fi
                continue
                ;;
            -*)
                # ${word} is a flag or an option
                # If ${word} is an option, mark that the next word to be parsed is an option value
                local option
                for option in "${repeating_options[@]}" "${non_repeating_options[@]}"; do
                    [[ "${word}" = "${option}" ]] && is_parsing_option_value=true && break
                done

                # Remove ${word} from ${non_repeating_flags} or ${non_repeating_options} so it isn't offered again
                local not_found=true
                local -i index
                for index in "${!non_repeating_flags[@]}"; do
                    if [[ "${non_repeating_flags[${index}]}" = "${word}" ]]; then
                        unset "non_repeating_flags[${index}]"
                        non_repeating_flags=("${non_repeating_flags[@]}")
                        not_found=false
                        break
                    fi
                done
                if "${not_found}"; then
                    for index in "${!non_repeating_flags[@]}"; do
                        if [[ "${non_repeating_flags[${index}]}" = "${word}" ]]; then
                            unset "non_repeating_flags[${index}]"
                            non_repeating_flags=("${non_repeating_flags[@]}")
                            break
                        fi
                    done
                fi
                unset "unparsed_words[${word_index}]"
                continue
                ;;
            esac
        fi

        # ${word} is neither a flag, nor an option, nor an option value
        if [[ "${positional_number}" -lt "${positional_count}" || "${positional_count}" -lt 0 ]]; then
            # ${word} is a positional
            ((positional_number++))
            unset "unparsed_words[${word_index}]"
        else
            if [[ -z "${word}" ]]; then
                # Could be completing a flag, option, or subcommand
                positional_number=-1
            else
                # ${word} is a subcommand or invalid, so stop processing this (sub)command
                positional_number=-2
            fi
            break
        fi
    done

    unparsed_words=("${unparsed_words[@]}")

    if\
        ! "${was_flag_option_terminator_seen}"\
        && ! "${is_parsing_option_value}"\
        && [[ ("${cur}" = -* && "${positional_number}" -ge 0) || "${positional_number}" -eq -1 ]]
    then
        COMPREPLY+=($(compgen -W "${repeating_flags[*]} ${non_repeating_flags[*]} ${repeating_options[*]} ${non_repeating_options[*]}" -- "${cur}"))
    fi
}

__ems_add_completions() {
    local completion
    while IFS='' read -r completion; do
        COMPREPLY+=("${completion}")
    done < <(IFS=$'\n' compgen "${@}" -- "${cur}")
}

__ems_custom_complete() {
    if [[ -n "${cur}" || -z ${COMP_WORDS[${COMP_CWORD}]} || "${COMP_LINE:${COMP_POINT}:1}" != ' ' ]]; then
        local -ar words=("${COMP_WORDS[@]}")
    else
        local -ar words=("${COMP_WORDS[@]::${COMP_CWORD}}" '' "${COMP_WORDS[@]:${COMP_CWORD}}")
    fi

    "${COMP_WORDS[0]}" "${@}" "${words[@]}"
}

_ems() {
    local state
    state="$(shopt -p;shopt -po)"
    trap "${state//$'\n'/;}" RETURN
    shopt -s extglob
    set +o history +o posix

    local -xr SAP_SHELL=bash
    local -x SAP_SHELL_VERSION
    SAP_SHELL_VERSION="$(IFS='.';printf %s "${BASH_VERSINFO[*]}")"
    local -r SAP_SHELL_VERSION

    local -r cur="${2}"
    local -r prev="${3}"

    local -i positional_number
    local -a unparsed_words=("${COMP_WORDS[@]:1:${COMP_CWORD}}")

    local -a repeating_flags=()
    local -a non_repeating_flags=(--no-color --verbose --version -h --help)
    local -a repeating_options=()
    local -a non_repeating_options=(--config --profile --data-dir)
    __ems_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac

    # Offer subcommand / subcommand argument completions
    local -r subcommand="${unparsed_words[0]}"
    unset 'unparsed_words[0]'
    unparsed_words=("${unparsed_words[@]}")
    case "${subcommand}" in
    user|event|notify|token|broker|audit|store|config|serve|shell|doctor|help)
        # Offer subcommand argument completions
        "_ems_${subcommand}"
        ;;
    *)
        # Offer subcommand completions
        COMPREPLY+=($(compgen -W 'user event notify token broker audit store config serve shell doctor help' -- "${cur}"))
        ;;
    esac
}

_ems_user() {
    repeating_flags=()
    non_repeating_flags=(--version -h --help)
    repeating_options=()
    non_repeating_options=()
    __ems_offer_flags_options 0

    # Offer subcommand / subcommand argument completions
    local -r subcommand="${unparsed_words[0]}"
    unset 'unparsed_words[0]'
    unparsed_words=("${unparsed_words[@]}")
    case "${subcommand}" in
    create|list|show|update|role|activate|deactivate|password|unlock|delete|import|export)
        # Offer subcommand argument completions
        "_ems_user_${subcommand}"
        ;;
    *)
        # Offer subcommand completions
        COMPREPLY+=($(compgen -W 'create list show update role activate deactivate password unlock delete import export' -- "${cur}"))
        ;;
    esac
}

_ems_user_create() {
    repeating_flags=()
    non_repeating_flags=(--password-stdin --dry-run --no-header --raw --local --no-pager --no-color --verbose --version -h --help)
    repeating_options=()
    non_repeating_options=(--email --full-name --role --password-file -o --output --columns --time-zone --config --profile --data-dir)
    __ems_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--email')
        return
        ;;
    '--full-name')
        return
        ;;
    '--role')
        __ems_add_completions -W 'user'$'\n''organizer'$'\n''admin'
        return
        ;;
    '--password-file')
        __ems_add_completions -f
        return
        ;;
    '-o'|'--output')
        __ems_add_completions -W 'table'$'\n''json'$'\n''jsonl'$'\n''yaml'$'\n''csv'$'\n''id'
        return
        ;;
    '--columns')
        return
        ;;
    '--time-zone')
        __ems_add_completions -W "$(eval 'sed '\''s/^[^\t]*\t[^\t]*\t//;s/\t.*//;/^#/d'\'' /usr/share/zoneinfo/zone1970.tab 2>/dev/null')"
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion user create -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac
}

_ems_user_list() {
    repeating_flags=()
    non_repeating_flags=(--active --inactive --all --no-header --raw --local --no-pager --no-color --verbose --version -h --help)
    repeating_options=()
    non_repeating_options=(--role --inactive-since --limit -o --output --columns --time-zone --config --profile --data-dir)
    __ems_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--role')
        __ems_add_completions -W 'user'$'\n''organizer'$'\n''admin'
        return
        ;;
    '--inactive-since')
        return
        ;;
    '--limit')
        return
        ;;
    '-o'|'--output')
        __ems_add_completions -W 'table'$'\n''json'$'\n''jsonl'$'\n''yaml'$'\n''csv'$'\n''id'
        return
        ;;
    '--columns')
        return
        ;;
    '--time-zone')
        __ems_add_completions -W "$(eval 'sed '\''s/^[^\t]*\t[^\t]*\t//;s/\t.*//;/^#/d'\'' /usr/share/zoneinfo/zone1970.tab 2>/dev/null')"
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion user list -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac
}

_ems_user_show() {
    repeating_flags=()
    non_repeating_flags=(--no-header --raw --local --no-pager --no-color --verbose --version -h --help)
    repeating_options=()
    non_repeating_options=(-o --output --columns --time-zone --config --profile --data-dir)
    __ems_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '-o'|'--output')
        __ems_add_completions -W 'table'$'\n''json'$'\n''jsonl'$'\n''yaml'$'\n''csv'$'\n''id'
        return
        ;;
    '--columns')
        return
        ;;
    '--time-zone')
        __ems_add_completions -W "$(eval 'sed '\''s/^[^\t]*\t[^\t]*\t//;s/\t.*//;/^#/d'\'' /usr/share/zoneinfo/zone1970.tab 2>/dev/null')"
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion user show -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    1)
        __ems_add_completions -W "$(__ems_custom_complete ---completion user show -- positional@0 "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    esac
}

_ems_user_update() {
    repeating_flags=()
    non_repeating_flags=(--dry-run --no-header --raw --local --no-pager --no-color --verbose --version -h --help)
    repeating_options=()
    non_repeating_options=(--username --email --full-name -o --output --columns --time-zone --config --profile --data-dir)
    __ems_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--username')
        return
        ;;
    '--email')
        return
        ;;
    '--full-name')
        return
        ;;
    '-o'|'--output')
        __ems_add_completions -W 'table'$'\n''json'$'\n''jsonl'$'\n''yaml'$'\n''csv'$'\n''id'
        return
        ;;
    '--columns')
        return
        ;;
    '--time-zone')
        __ems_add_completions -W "$(eval 'sed '\''s/^[^\t]*\t[^\t]*\t//;s/\t.*//;/^#/d'\'' /usr/share/zoneinfo/zone1970.tab 2>/dev/null')"
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion user update -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    1)
        __ems_add_completions -W "$(__ems_custom_complete ---completion user update -- positional@0 "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    esac
}

_ems_user_role() {
    repeating_flags=()
    non_repeating_flags=(--dry-run --no-header --raw --local --no-pager --no-color --verbose --version -h --help)
    repeating_options=()
    non_repeating_options=(-o --output --columns --time-zone --config --profile --data-dir)
    __ems_offer_flags_options 2

    # Offer option value completions
    case "${prev}" in
    '-o'|'--output')
        __ems_add_completions -W 'table'$'\n''json'$'\n''jsonl'$'\n''yaml'$'\n''csv'$'\n''id'
        return
        ;;
    '--columns')
        return
        ;;
    '--time-zone')
        __ems_add_completions -W "$(eval 'sed '\''s/^[^\t]*\t[^\t]*\t//;s/\t.*//;/^#/d'\'' /usr/share/zoneinfo/zone1970.tab 2>/dev/null')"
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion user role -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    1)
        __ems_add_completions -W "$(__ems_custom_complete ---completion user role -- positional@0 "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    2)
        __ems_add_completions -W 'user'$'\n''organizer'$'\n''admin'
        return
        ;;
    esac
}

_ems_user_activate() {
    repeating_flags=()
    non_repeating_flags=(--dry-run --no-header --raw --local --no-pager --no-color --verbose --version -h --help)
    repeating_options=()
    non_repeating_options=(-o --output --columns --time-zone --config --profile --data-dir)
    __ems_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '-o'|'--output')
        __ems_add_completions -W 'table'$'\n''json'$'\n''jsonl'$'\n''yaml'$'\n''csv'$'\n''id'
        return
        ;;
    '--columns')
        return
        ;;
    '--time-zone')
        __ems_add_completions -W "$(eval 'sed '\''s/^[^\t]*\t[^\t]*\t//;s/\t.*//;/^#/d'\'' /usr/share/zoneinfo/zone1970.tab 2>/dev/null')"
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion user activate -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    1)
        __ems_add_completions -W "$(__ems_custom_complete ---completion user activate -- positional@0 "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    esac
}

_ems_user_deactivate() {
    repeating_flags=()
    non_repeating_flags=(--dry-run --no-header --raw --local --no-pager --no-color --verbose --version -h --help)
    repeating_options=()
    non_repeating_options=(-o --output --columns --time-zone --config --profile --data-dir)
    __ems_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '-o'|'--output')
        __ems_add_completions -W 'table'$'\n''json'$'\n''jsonl'$'\n''yaml'$'\n''csv'$'\n''id'
        return
        ;;
    '--columns')
        return
        ;;
    '--time-zone')
        __ems_add_completions -W "$(eval 'sed '\''s/^[^\t]*\t[^\t]*\t//;s/\t.*//;/^#/d'\'' /usr/share/zoneinfo/zone1970.tab 2>/dev/null')"
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion user deactivate -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    1)
        __ems_add_completions -W "$(__ems_custom_complete ---completion user deactivate -- positional@0 "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    esac
}

_ems_user_password() {
    repeating_flags=()
    non_repeating_flags=(--password-stdin --dry-run --no-color --verbose --version -h --help)
    repeating_options=()
    non_repeating_options=(--password-file --config --profile --data-dir)
    __ems_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--password-file')
        __ems_add_completions -f
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion user password -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    1)
        __ems_add_completions -W "$(__ems_custom_complete ---completion user password -- positional@0 "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    esac
}

_ems_user_unlock() {
    repeating_flags=()
    non_repeating_flags=(--dry-run --no-color --verbose --version -h --help)
    repeating_options=()
    non_repeating_options=(--config --profile --data-dir)
    __ems_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion user unlock -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    1)
        __ems_add_completions -W "$(__ems_custom_complete ---completion user unlock -- positional@0 "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    esac
}

_ems_user_delete() {
    repeating_flags=()
    non_repeating_flags=(--erase --yes --dry-run --no-color --verbose --version -h --help)
    repeating_options=()
    non_repeating_options=(--confirm-profile --config --profile --data-dir)
    __ems_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--confirm-profile')
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion user delete -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    1)
        __ems_add_completions -W "$(__ems_custom_complete ---completion user delete -- positional@0 "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    esac
}

_ems_user_import() {
    repeating_flags=()
    non_repeating_flags=(--update --atomic --raw --json-summary --quiet --lock --dry-run --no-color --verbose --version -h --help)
    repeating_options=(--map)
    non_repeating_options=(--format --rejects --encoding --delimiter --wait --config --profile --data-dir)
    __ems_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--format')
        __ems_add_completions -W 'jsonl'$'\n''csv'$'\n''ics'
        return
        ;;
    '--map')
        return
        ;;
    '--rejects')
        __ems_add_completions -f
        return
        ;;
    '--encoding')
        return
        ;;
    '--delimiter')
        return
        ;;
    '--wait')
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion user import -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    1)
        __ems_add_completions -f
        return
        ;;
    esac
}

_ems_user_export() {
    repeating_flags=()
    non_repeating_flags=(--password-hashes --raw --no-color --verbose --version -h --help)
    repeating_options=()
    non_repeating_options=(--format --config --profile --data-dir)
    __ems_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--format')
        __ems_add_completions -W 'jsonl'$'\n''csv'$'\n''ics'
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion user export -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac
}

_ems_event() {
    repeating_flags=()
    non_repeating_flags=(--version -h --help)
    repeating_options=()
    non_repeating_options=()
    __ems_offer_flags_options 0

    # Offer subcommand / subcommand argument completions
    local -r subcommand="${unparsed_words[0]}"
    unset 'unparsed_words[0]'
    unparsed_words=("${unparsed_words[@]}")
    case "${subcommand}" in
    create|list|show|update|delete|search|history|diff|restore|subscribe|unsubscribe|import|export|complete|remind|watch)
        # Offer subcommand argument completions
        "_ems_event_${subcommand}"
        ;;
    *)
        # Offer subcommand completions
        COMPREPLY+=($(compgen -W 'create list show update delete search history diff restore subscribe unsubscribe import export complete remind watch' -- "${cur}"))
        ;;
    esac
}

_ems_event_create() {
    repeating_flags=()
    non_repeating_flags=(--dry-run --no-header --raw --local --no-pager --no-color --verbose --version -h --help)
    repeating_options=(--tag)
    non_repeating_options=(--title --description --location --start --end --max-attendees --status --attachment-url --at --json --id -o --output --columns --time-zone --config --profile --data-dir)
    __ems_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--title')
        return
        ;;
    '--description')
        return
        ;;
    '--location')
        return
        ;;
    '--start')
        return
        ;;
    '--end')
        return
        ;;
    '--tag')
        __ems_add_completions -W "$(__ems_custom_complete ---completion event create -- --tag "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--max-attendees')
        return
        ;;
    '--status')
        __ems_add_completions -W 'scheduled'$'\n''canceled'$'\n''completed'
        return
        ;;
    '--attachment-url')
        return
        ;;
    '--at')
        return
        ;;
    '--json')
        return
        ;;
    '--id')
        return
        ;;
    '-o'|'--output')
        __ems_add_completions -W 'table'$'\n''json'$'\n''jsonl'$'\n''yaml'$'\n''csv'$'\n''id'
        return
        ;;
    '--columns')
        return
        ;;
    '--time-zone')
        __ems_add_completions -W "$(eval 'sed '\''s/^[^\t]*\t[^\t]*\t//;s/\t.*//;/^#/d'\'' /usr/share/zoneinfo/zone1970.tab 2>/dev/null')"
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion event create -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac
}

_ems_event_list() {
    repeating_flags=()
    non_repeating_flags=(--all --no-header --raw --local --no-pager --no-color --verbose --version -h --help)
    repeating_options=(--tag)
    non_repeating_options=(--tag-match --status --created-by --sort --limit -o --output --columns --time-zone --config --profile --data-dir)
    __ems_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--tag')
        __ems_add_completions -W "$(__ems_custom_complete ---completion event list -- --tag "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--tag-match')
        __ems_add_completions -W 'all'$'\n''any'
        return
        ;;
    '--status')
        __ems_add_completions -W 'scheduled'$'\n''canceled'$'\n''completed'
        return
        ;;
    '--created-by')
        __ems_add_completions -W "$(__ems_custom_complete ---completion event list -- --created-by "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--sort')
        __ems_add_completions -W 'start_time'$'\n''-start_time'$'\n''created_at'$'\n''-created_at'$'\n''relevance'$'\n''distance'
        return
        ;;
    '--limit')
        return
        ;;
    '-o'|'--output')
        __ems_add_completions -W 'table'$'\n''json'$'\n''jsonl'$'\n''yaml'$'\n''csv'$'\n''id'
        return
        ;;
    '--columns')
        return
        ;;
    '--time-zone')
        __ems_add_completions -W "$(eval 'sed '\''s/^[^\t]*\t[^\t]*\t//;s/\t.*//;/^#/d'\'' /usr/share/zoneinfo/zone1970.tab 2>/dev/null')"
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion event list -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac
}

_ems_event_show() {
    repeating_flags=()
    non_repeating_flags=(--no-header --raw --local --no-pager --no-color --verbose --version -h --help)
    repeating_options=()
    non_repeating_options=(--at --version -o --output --columns --time-zone --config --profile --data-dir)
    __ems_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--at')
        return
        ;;
    '--version')
        return
        ;;
    '-o'|'--output')
        __ems_add_completions -W 'table'$'\n''json'$'\n''jsonl'$'\n''yaml'$'\n''csv'$'\n''id'
        return
        ;;
    '--columns')
        return
        ;;
    '--time-zone')
        __ems_add_completions -W "$(eval 'sed '\''s/^[^\t]*\t[^\t]*\t//;s/\t.*//;/^#/d'\'' /usr/share/zoneinfo/zone1970.tab 2>/dev/null')"
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion event show -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    1)
        __ems_add_completions -W "$(__ems_custom_complete ---completion event show -- positional@0 "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    esac
}

_ems_event_update() {
    repeating_flags=()
    non_repeating_flags=(--dry-run --no-header --raw --local --no-pager --no-color --verbose --version -h --help)
    repeating_options=(--tag --clear)
    non_repeating_options=(--title --description --location --start --end --max-attendees --status --attachment-url --at --json --if-version -o --output --columns --time-zone --config --profile --data-dir)
    __ems_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--title')
        return
        ;;
    '--description')
        return
        ;;
    '--location')
        return
        ;;
    '--start')
        return
        ;;
    '--end')
        return
        ;;
    '--tag')
        __ems_add_completions -W "$(__ems_custom_complete ---completion event update -- --tag "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--max-attendees')
        return
        ;;
    '--status')
        __ems_add_completions -W 'scheduled'$'\n''canceled'$'\n''completed'
        return
        ;;
    '--attachment-url')
        return
        ;;
    '--at')
        return
        ;;
    '--json')
        return
        ;;
    '--clear')
        __ems_add_completions -W 'description'$'\n''location'$'\n''tags'$'\n''max_attendees'$'\n''attachment_url'$'\n''coordinates'
        return
        ;;
    '--if-version')
        return
        ;;
    '-o'|'--output')
        __ems_add_completions -W 'table'$'\n''json'$'\n''jsonl'$'\n''yaml'$'\n''csv'$'\n''id'
        return
        ;;
    '--columns')
        return
        ;;
    '--time-zone')
        __ems_add_completions -W "$(eval 'sed '\''s/^[^\t]*\t[^\t]*\t//;s/\t.*//;/^#/d'\'' /usr/share/zoneinfo/zone1970.tab 2>/dev/null')"
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion event update -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    1)
        __ems_add_completions -W "$(__ems_custom_complete ---completion event update -- positional@0 "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    esac
}

_ems_event_delete() {
    repeating_flags=()
    non_repeating_flags=(--yes --dry-run --no-color --verbose --version -h --help)
    repeating_options=()
    non_repeating_options=(--confirm-profile --config --profile --data-dir)
    __ems_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--confirm-profile')
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion event delete -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    1)
        __ems_add_completions -W "$(__ems_custom_complete ---completion event delete -- positional@0 "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    esac
}

_ems_event_search() {
    repeating_flags=()
    non_repeating_flags=(--all --no-header --raw --local --no-pager --no-color --verbose --version -h --help)
    repeating_options=(--tag)
    non_repeating_options=(--tag-match --status --location --created-by --start-after --start-before --near --radius-km --sort --limit -o --output --columns --time-zone --config --profile --data-dir)
    __ems_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--tag')
        __ems_add_completions -W "$(__ems_custom_complete ---completion event search -- --tag "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--tag-match')
        __ems_add_completions -W 'all'$'\n''any'
        return
        ;;
    '--status')
        __ems_add_completions -W 'scheduled'$'\n''canceled'$'\n''completed'
        return
        ;;
    '--location')
        return
        ;;
    '--created-by')
        __ems_add_completions -W "$(__ems_custom_complete ---completion event search -- --created-by "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--start-after')
        return
        ;;
    '--start-before')
        return
        ;;
    '--near')
        return
        ;;
    '--radius-km')
        return
        ;;
    '--sort')
        __ems_add_completions -W 'start_time'$'\n''-start_time'$'\n''created_at'$'\n''-created_at'$'\n''relevance'$'\n''distance'
        return
        ;;
    '--limit')
        return
        ;;
    '-o'|'--output')
        __ems_add_completions -W 'table'$'\n''json'$'\n''jsonl'$'\n''yaml'$'\n''csv'$'\n''id'
        return
        ;;
    '--columns')
        return
        ;;
    '--time-zone')
        __ems_add_completions -W "$(eval 'sed '\''s/^[^\t]*\t[^\t]*\t//;s/\t.*//;/^#/d'\'' /usr/share/zoneinfo/zone1970.tab 2>/dev/null')"
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion event search -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac
}

_ems_event_history() {
    repeating_flags=()
    non_repeating_flags=(--all --no-header --raw --local --no-pager --no-color --verbose --version -h --help)
    repeating_options=()
    non_repeating_options=(--limit -o --output --columns --time-zone --config --profile --data-dir)
    __ems_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--limit')
        return
        ;;
    '-o'|'--output')
        __ems_add_completions -W 'table'$'\n''json'$'\n''jsonl'$'\n''yaml'$'\n''csv'$'\n''id'
        return
        ;;
    '--columns')
        return
        ;;
    '--time-zone')
        __ems_add_completions -W "$(eval 'sed '\''s/^[^\t]*\t[^\t]*\t//;s/\t.*//;/^#/d'\'' /usr/share/zoneinfo/zone1970.tab 2>/dev/null')"
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion event history -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    1)
        __ems_add_completions -W "$(__ems_custom_complete ---completion event history -- positional@0 "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    esac
}

_ems_event_diff() {
    repeating_flags=()
    non_repeating_flags=(--no-header --raw --local --no-pager --no-color --verbose --version -h --help)
    repeating_options=()
    non_repeating_options=(--versions -o --output --columns --time-zone --config --profile --data-dir)
    __ems_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--versions')
        return
        ;;
    '-o'|'--output')
        __ems_add_completions -W 'table'$'\n''json'$'\n''jsonl'$'\n''yaml'$'\n''csv'$'\n''id'
        return
        ;;
    '--columns')
        return
        ;;
    '--time-zone')
        __ems_add_completions -W "$(eval 'sed '\''s/^[^\t]*\t[^\t]*\t//;s/\t.*//;/^#/d'\'' /usr/share/zoneinfo/zone1970.tab 2>/dev/null')"
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion event diff -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    1)
        __ems_add_completions -W "$(__ems_custom_complete ---completion event diff -- positional@0 "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    esac
}

_ems_event_restore() {
    repeating_flags=()
    non_repeating_flags=(--dry-run --no-header --raw --local --no-pager --no-color --verbose --version -h --help)
    repeating_options=()
    non_repeating_options=(--version --if-version -o --output --columns --time-zone --config --profile --data-dir)
    __ems_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--version')
        return
        ;;
    '--if-version')
        return
        ;;
    '-o'|'--output')
        __ems_add_completions -W 'table'$'\n''json'$'\n''jsonl'$'\n''yaml'$'\n''csv'$'\n''id'
        return
        ;;
    '--columns')
        return
        ;;
    '--time-zone')
        __ems_add_completions -W "$(eval 'sed '\''s/^[^\t]*\t[^\t]*\t//;s/\t.*//;/^#/d'\'' /usr/share/zoneinfo/zone1970.tab 2>/dev/null')"
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion event restore -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    1)
        __ems_add_completions -W "$(__ems_custom_complete ---completion event restore -- positional@0 "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    esac
}

_ems_event_subscribe() {
    repeating_flags=()
    non_repeating_flags=(--dry-run --no-color --verbose --version -h --help)
    repeating_options=()
    non_repeating_options=(--user --config --profile --data-dir)
    __ems_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--user')
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion event subscribe -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    1)
        __ems_add_completions -W "$(__ems_custom_complete ---completion event subscribe -- positional@0 "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    esac
}

_ems_event_unsubscribe() {
    repeating_flags=()
    non_repeating_flags=(--dry-run --no-color --verbose --version -h --help)
    repeating_options=()
    non_repeating_options=(--user --config --profile --data-dir)
    __ems_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--user')
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion event unsubscribe -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    1)
        __ems_add_completions -W "$(__ems_custom_complete ---completion event unsubscribe -- positional@0 "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    esac
}

_ems_event_import() {
    repeating_flags=()
    non_repeating_flags=(--update --atomic --raw --json-summary --quiet --allow-past --no-notifications --local --lock --dry-run --no-color --verbose --version -h --help)
    repeating_options=(--map)
    non_repeating_options=(--format --rejects --encoding --delimiter --time-zone --wait --config --profile --data-dir)
    __ems_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--format')
        __ems_add_completions -W 'jsonl'$'\n''csv'$'\n''ics'
        return
        ;;
    '--map')
        return
        ;;
    '--rejects')
        __ems_add_completions -f
        return
        ;;
    '--encoding')
        return
        ;;
    '--delimiter')
        return
        ;;
    '--time-zone')
        __ems_add_completions -W "$(eval 'sed '\''s/^[^\t]*\t[^\t]*\t//;s/\t.*//;/^#/d'\'' /usr/share/zoneinfo/zone1970.tab 2>/dev/null')"
        return
        ;;
    '--wait')
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion event import -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    1)
        __ems_add_completions -f
        return
        ;;
    esac
}

_ems_event_export() {
    repeating_flags=()
    non_repeating_flags=(--raw --local --no-color --verbose --version -h --help)
    repeating_options=(--tag)
    non_repeating_options=(--format --tag-match --status --time-zone --config --profile --data-dir)
    __ems_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--format')
        __ems_add_completions -W 'jsonl'$'\n''csv'$'\n''ics'
        return
        ;;
    '--tag')
        __ems_add_completions -W "$(__ems_custom_complete ---completion event export -- --tag "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--tag-match')
        __ems_add_completions -W 'all'$'\n''any'
        return
        ;;
    '--status')
        __ems_add_completions -W 'scheduled'$'\n''canceled'$'\n''completed'
        return
        ;;
    '--time-zone')
        __ems_add_completions -W "$(eval 'sed '\''s/^[^\t]*\t[^\t]*\t//;s/\t.*//;/^#/d'\'' /usr/share/zoneinfo/zone1970.tab 2>/dev/null')"
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion event export -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac
}

_ems_event_complete() {
    repeating_flags=()
    non_repeating_flags=(--json-summary --quiet --lock --dry-run --no-color --verbose --version -h --help)
    repeating_options=()
    non_repeating_options=(--wait --config --profile --data-dir)
    __ems_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--wait')
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion event complete -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac
}

_ems_event_remind() {
    repeating_flags=()
    non_repeating_flags=(--json-summary --quiet --lock --dry-run --no-color --verbose --version -h --help)
    repeating_options=(--tag)
    non_repeating_options=(--within --tag-match --wait --config --profile --data-dir)
    __ems_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--within')
        return
        ;;
    '--tag')
        __ems_add_completions -W "$(__ems_custom_complete ---completion event remind -- --tag "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--tag-match')
        __ems_add_completions -W 'all'$'\n''any'
        return
        ;;
    '--wait')
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion event remind -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac
}

_ems_event_watch() {
    repeating_flags=()
    non_repeating_flags=(--no-header --raw --local --no-pager --no-color --verbose --version -h --help)
    repeating_options=()
    non_repeating_options=(--event --count --timeout -o --output --columns --time-zone --config --profile --data-dir)
    __ems_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--event')
        return
        ;;
    '--count')
        return
        ;;
    '--timeout')
        return
        ;;
    '-o'|'--output')
        __ems_add_completions -W 'table'$'\n''json'$'\n''jsonl'$'\n''yaml'$'\n''csv'$'\n''id'
        return
        ;;
    '--columns')
        return
        ;;
    '--time-zone')
        __ems_add_completions -W "$(eval 'sed '\''s/^[^\t]*\t[^\t]*\t//;s/\t.*//;/^#/d'\'' /usr/share/zoneinfo/zone1970.tab 2>/dev/null')"
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion event watch -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac
}

_ems_notify() {
    repeating_flags=()
    non_repeating_flags=(--version -h --help)
    repeating_options=()
    non_repeating_options=()
    __ems_offer_flags_options 0

    # Offer subcommand / subcommand argument completions
    local -r subcommand="${unparsed_words[0]}"
    unset 'unparsed_words[0]'
    unparsed_words=("${unparsed_words[@]}")
    case "${subcommand}" in
    list|show|count|read|read-all|send|watch|purge)
        # Offer subcommand argument completions
        "_ems_notify_${subcommand}"
        ;;
    *)
        # Offer subcommand completions
        COMPREPLY+=($(compgen -W 'list show count read read-all send watch purge' -- "${cur}"))
        ;;
    esac
}

_ems_notify_list() {
    repeating_flags=()
    non_repeating_flags=(--unread --all --no-header --raw --local --no-pager --no-color --verbose --version -h --help)
    repeating_options=()
    non_repeating_options=(--user --limit -o --output --columns --time-zone --config --profile --data-dir)
    __ems_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--user')
        __ems_add_completions -W "$(__ems_custom_complete ---completion notify list -- --user "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--limit')
        return
        ;;
    '-o'|'--output')
        __ems_add_completions -W 'table'$'\n''json'$'\n''jsonl'$'\n''yaml'$'\n''csv'$'\n''id'
        return
        ;;
    '--columns')
        return
        ;;
    '--time-zone')
        __ems_add_completions -W "$(eval 'sed '\''s/^[^\t]*\t[^\t]*\t//;s/\t.*//;/^#/d'\'' /usr/share/zoneinfo/zone1970.tab 2>/dev/null')"
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion notify list -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac
}

_ems_notify_show() {
    repeating_flags=()
    non_repeating_flags=(--no-header --raw --local --no-pager --no-color --verbose --version -h --help)
    repeating_options=()
    non_repeating_options=(--user -o --output --columns --time-zone --config --profile --data-dir)
    __ems_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--user')
        __ems_add_completions -W "$(__ems_custom_complete ---completion notify show -- --user "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '-o'|'--output')
        __ems_add_completions -W 'table'$'\n''json'$'\n''jsonl'$'\n''yaml'$'\n''csv'$'\n''id'
        return
        ;;
    '--columns')
        return
        ;;
    '--time-zone')
        __ems_add_completions -W "$(eval 'sed '\''s/^[^\t]*\t[^\t]*\t//;s/\t.*//;/^#/d'\'' /usr/share/zoneinfo/zone1970.tab 2>/dev/null')"
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion notify show -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac
}

_ems_notify_count() {
    repeating_flags=()
    non_repeating_flags=(--no-header --raw --local --no-pager --no-color --verbose --version -h --help)
    repeating_options=()
    non_repeating_options=(--user -o --output --columns --time-zone --config --profile --data-dir)
    __ems_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--user')
        __ems_add_completions -W "$(__ems_custom_complete ---completion notify count -- --user "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '-o'|'--output')
        __ems_add_completions -W 'table'$'\n''json'$'\n''jsonl'$'\n''yaml'$'\n''csv'$'\n''id'
        return
        ;;
    '--columns')
        return
        ;;
    '--time-zone')
        __ems_add_completions -W "$(eval 'sed '\''s/^[^\t]*\t[^\t]*\t//;s/\t.*//;/^#/d'\'' /usr/share/zoneinfo/zone1970.tab 2>/dev/null')"
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion notify count -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac
}

_ems_notify_read() {
    repeating_flags=()
    non_repeating_flags=(--dry-run --no-color --verbose --version -h --help)
    repeating_options=()
    non_repeating_options=(--user --config --profile --data-dir)
    __ems_offer_flags_options -1

    # Offer option value completions
    case "${prev}" in
    '--user')
        __ems_add_completions -W "$(__ems_custom_complete ---completion notify read -- --user "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion notify read -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac
}

_ems_notify_read-all() {
    repeating_flags=()
    non_repeating_flags=(--dry-run --no-color --verbose --version -h --help)
    repeating_options=()
    non_repeating_options=(--user --config --profile --data-dir)
    __ems_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--user')
        __ems_add_completions -W "$(__ems_custom_complete ---completion notify read-all -- --user "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion notify read-all -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac
}

_ems_notify_send() {
    repeating_flags=()
    non_repeating_flags=(--everyone --dry-run --no-header --raw --local --no-pager --no-color --verbose --version -h --help)
    repeating_options=(--to)
    non_repeating_options=(--subscribers-of -o --output --columns --time-zone --config --profile --data-dir)
    __ems_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--to')
        __ems_add_completions -W "$(__ems_custom_complete ---completion notify send -- --to "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--subscribers-of')
        __ems_add_completions -W "$(__ems_custom_complete ---completion notify send -- --subscribers-of "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '-o'|'--output')
        __ems_add_completions -W 'table'$'\n''json'$'\n''jsonl'$'\n''yaml'$'\n''csv'$'\n''id'
        return
        ;;
    '--columns')
        return
        ;;
    '--time-zone')
        __ems_add_completions -W "$(eval 'sed '\''s/^[^\t]*\t[^\t]*\t//;s/\t.*//;/^#/d'\'' /usr/share/zoneinfo/zone1970.tab 2>/dev/null')"
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion notify send -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac
}

_ems_notify_watch() {
    repeating_flags=()
    non_repeating_flags=(--no-header --raw --local --no-pager --no-color --verbose --version -h --help)
    repeating_options=()
    non_repeating_options=(--user --count --timeout -o --output --columns --time-zone --config --profile --data-dir)
    __ems_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--user')
        __ems_add_completions -W "$(__ems_custom_complete ---completion notify watch -- --user "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--count')
        return
        ;;
    '--timeout')
        return
        ;;
    '-o'|'--output')
        __ems_add_completions -W 'table'$'\n''json'$'\n''jsonl'$'\n''yaml'$'\n''csv'$'\n''id'
        return
        ;;
    '--columns')
        return
        ;;
    '--time-zone')
        __ems_add_completions -W "$(eval 'sed '\''s/^[^\t]*\t[^\t]*\t//;s/\t.*//;/^#/d'\'' /usr/share/zoneinfo/zone1970.tab 2>/dev/null')"
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion notify watch -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac
}

_ems_notify_purge() {
    repeating_flags=()
    non_repeating_flags=(--json-summary --quiet --lock --yes --dry-run --no-color --verbose --version -h --help)
    repeating_options=()
    non_repeating_options=(--older-than --wait --confirm-profile --config --profile --data-dir)
    __ems_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--older-than')
        return
        ;;
    '--wait')
        return
        ;;
    '--confirm-profile')
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion notify purge -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac
}

_ems_token() {
    repeating_flags=()
    non_repeating_flags=(--version -h --help)
    repeating_options=()
    non_repeating_options=()
    __ems_offer_flags_options 0

    # Offer subcommand / subcommand argument completions
    local -r subcommand="${unparsed_words[0]}"
    unset 'unparsed_words[0]'
    unparsed_words=("${unparsed_words[@]}")
    case "${subcommand}" in
    issue|inspect|verify|revoke|list|purge|keys)
        # Offer subcommand argument completions
        "_ems_token_${subcommand}"
        ;;
    *)
        # Offer subcommand completions
        COMPREPLY+=($(compgen -W 'issue inspect verify revoke list purge keys' -- "${cur}"))
        ;;
    esac
}

_ems_token_issue() {
    repeating_flags=()
    non_repeating_flags=(--dry-run --no-header --raw --local --no-pager --no-color --verbose --version -h --help)
    repeating_options=()
    non_repeating_options=(--user --ttl --label -o --output --columns --time-zone --config --profile --data-dir)
    __ems_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--user')
        __ems_add_completions -W "$(__ems_custom_complete ---completion token issue -- --user "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--ttl')
        return
        ;;
    '--label')
        return
        ;;
    '-o'|'--output')
        __ems_add_completions -W 'table'$'\n''json'$'\n''jsonl'$'\n''yaml'$'\n''csv'$'\n''id'
        return
        ;;
    '--columns')
        return
        ;;
    '--time-zone')
        __ems_add_completions -W "$(eval 'sed '\''s/^[^\t]*\t[^\t]*\t//;s/\t.*//;/^#/d'\'' /usr/share/zoneinfo/zone1970.tab 2>/dev/null')"
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion token issue -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac
}

_ems_token_inspect() {
    repeating_flags=()
    non_repeating_flags=(--no-color --verbose --version -h --help)
    repeating_options=()
    non_repeating_options=(--token-file --config --profile --data-dir)
    __ems_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--token-file')
        __ems_add_completions -f
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion token inspect -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac
}

_ems_token_verify() {
    repeating_flags=()
    non_repeating_flags=(--no-header --raw --local --no-pager --no-color --verbose --version -h --help)
    repeating_options=()
    non_repeating_options=(--token-file -o --output --columns --time-zone --config --profile --data-dir)
    __ems_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--token-file')
        __ems_add_completions -f
        return
        ;;
    '-o'|'--output')
        __ems_add_completions -W 'table'$'\n''json'$'\n''jsonl'$'\n''yaml'$'\n''csv'$'\n''id'
        return
        ;;
    '--columns')
        return
        ;;
    '--time-zone')
        __ems_add_completions -W "$(eval 'sed '\''s/^[^\t]*\t[^\t]*\t//;s/\t.*//;/^#/d'\'' /usr/share/zoneinfo/zone1970.tab 2>/dev/null')"
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion token verify -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac
}

_ems_token_revoke() {
    repeating_flags=()
    non_repeating_flags=(--dry-run --no-color --verbose --version -h --help)
    repeating_options=()
    non_repeating_options=(--user --token-file --config --profile --data-dir)
    __ems_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--user')
        __ems_add_completions -W "$(__ems_custom_complete ---completion token revoke -- --user "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--token-file')
        __ems_add_completions -f
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion token revoke -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac
}

_ems_token_list() {
    repeating_flags=()
    non_repeating_flags=(--ended --all --no-header --raw --local --no-pager --no-color --verbose --version -h --help)
    repeating_options=()
    non_repeating_options=(--user --limit -o --output --columns --time-zone --config --profile --data-dir)
    __ems_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--user')
        __ems_add_completions -W "$(__ems_custom_complete ---completion token list -- --user "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--limit')
        return
        ;;
    '-o'|'--output')
        __ems_add_completions -W 'table'$'\n''json'$'\n''jsonl'$'\n''yaml'$'\n''csv'$'\n''id'
        return
        ;;
    '--columns')
        return
        ;;
    '--time-zone')
        __ems_add_completions -W "$(eval 'sed '\''s/^[^\t]*\t[^\t]*\t//;s/\t.*//;/^#/d'\'' /usr/share/zoneinfo/zone1970.tab 2>/dev/null')"
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion token list -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac
}

_ems_token_purge() {
    repeating_flags=()
    non_repeating_flags=(--json-summary --quiet --lock --dry-run --no-color --verbose --version -h --help)
    repeating_options=()
    non_repeating_options=(--older-than --wait --config --profile --data-dir)
    __ems_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--older-than')
        return
        ;;
    '--wait')
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion token purge -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac
}

_ems_token_keys() {
    repeating_flags=()
    non_repeating_flags=(--version -h --help)
    repeating_options=()
    non_repeating_options=()
    __ems_offer_flags_options 0

    # Offer subcommand / subcommand argument completions
    local -r subcommand="${unparsed_words[0]}"
    unset 'unparsed_words[0]'
    unparsed_words=("${unparsed_words[@]}")
    case "${subcommand}" in
    list|rotate|remove)
        # Offer subcommand argument completions
        "_ems_token_keys_${subcommand}"
        ;;
    *)
        # Offer subcommand completions
        COMPREPLY+=($(compgen -W 'list rotate remove' -- "${cur}"))
        ;;
    esac
}

_ems_token_keys_list() {
    repeating_flags=()
    non_repeating_flags=(--no-header --raw --local --no-pager --no-color --verbose --version -h --help)
    repeating_options=()
    non_repeating_options=(-o --output --columns --time-zone --config --profile --data-dir)
    __ems_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '-o'|'--output')
        __ems_add_completions -W 'table'$'\n''json'$'\n''jsonl'$'\n''yaml'$'\n''csv'$'\n''id'
        return
        ;;
    '--columns')
        return
        ;;
    '--time-zone')
        __ems_add_completions -W "$(eval 'sed '\''s/^[^\t]*\t[^\t]*\t//;s/\t.*//;/^#/d'\'' /usr/share/zoneinfo/zone1970.tab 2>/dev/null')"
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion token keys list -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac
}

_ems_token_keys_rotate() {
    repeating_flags=()
    non_repeating_flags=(--dry-run --no-header --raw --local --no-pager --no-color --verbose --version -h --help)
    repeating_options=()
    non_repeating_options=(-o --output --columns --time-zone --config --profile --data-dir)
    __ems_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '-o'|'--output')
        __ems_add_completions -W 'table'$'\n''json'$'\n''jsonl'$'\n''yaml'$'\n''csv'$'\n''id'
        return
        ;;
    '--columns')
        return
        ;;
    '--time-zone')
        __ems_add_completions -W "$(eval 'sed '\''s/^[^\t]*\t[^\t]*\t//;s/\t.*//;/^#/d'\'' /usr/share/zoneinfo/zone1970.tab 2>/dev/null')"
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion token keys rotate -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac
}

_ems_token_keys_remove() {
    repeating_flags=()
    non_repeating_flags=(--yes --dry-run --no-color --verbose --version -h --help)
    repeating_options=()
    non_repeating_options=(--confirm-profile --config --profile --data-dir)
    __ems_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--confirm-profile')
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion token keys remove -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac
}

_ems_broker() {
    repeating_flags=()
    non_repeating_flags=(--version -h --help)
    repeating_options=()
    non_repeating_options=()
    __ems_offer_flags_options 0

    # Offer subcommand / subcommand argument completions
    local -r subcommand="${unparsed_words[0]}"
    unset 'unparsed_words[0]'
    unparsed_words=("${unparsed_words[@]}")
    case "${subcommand}" in
    status|declare|flush|pause|resume|replay|dead)
        # Offer subcommand argument completions
        "_ems_broker_${subcommand}"
        ;;
    *)
        # Offer subcommand completions
        COMPREPLY+=($(compgen -W 'status declare flush pause resume replay dead' -- "${cur}"))
        ;;
    esac
}

_ems_broker_status() {
    repeating_flags=()
    non_repeating_flags=(--no-header --raw --local --no-pager --no-color --verbose --version -h --help)
    repeating_options=()
    non_repeating_options=(-o --output --columns --time-zone --config --profile --data-dir)
    __ems_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '-o'|'--output')
        __ems_add_completions -W 'table'$'\n''json'$'\n''jsonl'$'\n''yaml'$'\n''csv'$'\n''id'
        return
        ;;
    '--columns')
        return
        ;;
    '--time-zone')
        __ems_add_completions -W "$(eval 'sed '\''s/^[^\t]*\t[^\t]*\t//;s/\t.*//;/^#/d'\'' /usr/share/zoneinfo/zone1970.tab 2>/dev/null')"
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion broker status -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac
}

_ems_broker_declare() {
    repeating_flags=()
    non_repeating_flags=(--replace --dry-run --yes --no-color --verbose --version -h --help)
    repeating_options=()
    non_repeating_options=(--confirm-profile --config --profile --data-dir)
    __ems_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--confirm-profile')
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion broker declare -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac
}

_ems_broker_flush() {
    repeating_flags=()
    non_repeating_flags=(--json-summary --quiet --lock --dry-run --no-color --verbose --version -h --help)
    repeating_options=()
    non_repeating_options=(--wait --config --profile --data-dir)
    __ems_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--wait')
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion broker flush -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac
}

_ems_broker_pause() {
    repeating_flags=()
    non_repeating_flags=(--no-color --verbose --version -h --help)
    repeating_options=()
    non_repeating_options=(--config --profile --data-dir)
    __ems_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion broker pause -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    1)
        __ems_add_completions -W 'inbox'
        return
        ;;
    esac
}

_ems_broker_resume() {
    repeating_flags=()
    non_repeating_flags=(--no-color --verbose --version -h --help)
    repeating_options=()
    non_repeating_options=(--config --profile --data-dir)
    __ems_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion broker resume -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    1)
        __ems_add_completions -W 'inbox'
        return
        ;;
    esac
}

_ems_broker_replay() {
    repeating_flags=()
    non_repeating_flags=(--local --dry-run --no-color --verbose --version -h --help)
    repeating_options=()
    non_repeating_options=(--from --time-zone --config --profile --data-dir)
    __ems_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--from')
        return
        ;;
    '--time-zone')
        __ems_add_completions -W "$(eval 'sed '\''s/^[^\t]*\t[^\t]*\t//;s/\t.*//;/^#/d'\'' /usr/share/zoneinfo/zone1970.tab 2>/dev/null')"
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion broker replay -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    1)
        __ems_add_completions -W 'inbox'
        return
        ;;
    esac
}

_ems_broker_dead() {
    repeating_flags=()
    non_repeating_flags=(--version -h --help)
    repeating_options=()
    non_repeating_options=()
    __ems_offer_flags_options 0

    # Offer subcommand / subcommand argument completions
    local -r subcommand="${unparsed_words[0]}"
    unset 'unparsed_words[0]'
    unparsed_words=("${unparsed_words[@]}")
    case "${subcommand}" in
    list|show|requeue|drop)
        # Offer subcommand argument completions
        "_ems_broker_dead_${subcommand}"
        ;;
    *)
        # Offer subcommand completions
        COMPREPLY+=($(compgen -W 'list show requeue drop' -- "${cur}"))
        ;;
    esac
}

_ems_broker_dead_list() {
    repeating_flags=()
    non_repeating_flags=(--all --no-header --raw --local --no-pager --no-color --verbose --version -h --help)
    repeating_options=()
    non_repeating_options=(--limit --consumer -o --output --columns --time-zone --config --profile --data-dir)
    __ems_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--limit')
        return
        ;;
    '--consumer')
        __ems_add_completions -W 'inbox'
        return
        ;;
    '-o'|'--output')
        __ems_add_completions -W 'table'$'\n''json'$'\n''jsonl'$'\n''yaml'$'\n''csv'$'\n''id'
        return
        ;;
    '--columns')
        return
        ;;
    '--time-zone')
        __ems_add_completions -W "$(eval 'sed '\''s/^[^\t]*\t[^\t]*\t//;s/\t.*//;/^#/d'\'' /usr/share/zoneinfo/zone1970.tab 2>/dev/null')"
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion broker dead list -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac
}

_ems_broker_dead_show() {
    repeating_flags=()
    non_repeating_flags=(--no-header --raw --local --no-pager --no-color --verbose --version -h --help)
    repeating_options=()
    non_repeating_options=(--consumer -o --output --columns --time-zone --config --profile --data-dir)
    __ems_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--consumer')
        __ems_add_completions -W 'inbox'
        return
        ;;
    '-o'|'--output')
        __ems_add_completions -W 'table'$'\n''json'$'\n''jsonl'$'\n''yaml'$'\n''csv'$'\n''id'
        return
        ;;
    '--columns')
        return
        ;;
    '--time-zone')
        __ems_add_completions -W "$(eval 'sed '\''s/^[^\t]*\t[^\t]*\t//;s/\t.*//;/^#/d'\'' /usr/share/zoneinfo/zone1970.tab 2>/dev/null')"
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion broker dead show -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac
}

_ems_broker_dead_requeue() {
    repeating_flags=()
    non_repeating_flags=(--sign --all --dry-run --no-color --verbose --version -h --help)
    repeating_options=()
    non_repeating_options=(--consumer --config --profile --data-dir)
    __ems_offer_flags_options -1

    # Offer option value completions
    case "${prev}" in
    '--consumer')
        __ems_add_completions -W 'inbox'
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion broker dead requeue -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac
}

_ems_broker_dead_drop() {
    repeating_flags=()
    non_repeating_flags=(--all --dry-run --yes --no-color --verbose --version -h --help)
    repeating_options=()
    non_repeating_options=(--consumer --confirm-profile --config --profile --data-dir)
    __ems_offer_flags_options -1

    # Offer option value completions
    case "${prev}" in
    '--consumer')
        __ems_add_completions -W 'inbox'
        return
        ;;
    '--confirm-profile')
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion broker dead drop -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac
}

_ems_audit() {
    repeating_flags=()
    non_repeating_flags=(--version -h --help)
    repeating_options=()
    non_repeating_options=()
    __ems_offer_flags_options 0

    # Offer subcommand / subcommand argument completions
    local -r subcommand="${unparsed_words[0]}"
    unset 'unparsed_words[0]'
    unparsed_words=("${unparsed_words[@]}")
    case "${subcommand}" in
    list|show|export|verify|purge)
        # Offer subcommand argument completions
        "_ems_audit_${subcommand}"
        ;;
    *)
        # Offer subcommand completions
        COMPREPLY+=($(compgen -W 'list show export verify purge' -- "${cur}"))
        ;;
    esac
}

_ems_audit_list() {
    repeating_flags=()
    non_repeating_flags=(--all --no-header --raw --local --no-pager --no-color --verbose --version -h --help)
    repeating_options=()
    non_repeating_options=(--subject --actor --action --since --until --limit -o --output --columns --time-zone --config --profile --data-dir)
    __ems_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--subject')
        return
        ;;
    '--actor')
        __ems_add_completions -W "$(__ems_custom_complete ---completion audit list -- --actor "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--action')
        __ems_add_completions -W 'created'$'\n''updated'$'\n''deleted'$'\n''recorded'$'\n''password_changed'$'\n''erased'$'\n''opened'$'\n''ended'$'\n''failed'$'\n''rotated'$'\n''imported'$'\n''exported'$'\n''purged'
        return
        ;;
    '--since')
        return
        ;;
    '--until')
        return
        ;;
    '--limit')
        return
        ;;
    '-o'|'--output')
        __ems_add_completions -W 'table'$'\n''json'$'\n''jsonl'$'\n''yaml'$'\n''csv'$'\n''id'
        return
        ;;
    '--columns')
        return
        ;;
    '--time-zone')
        __ems_add_completions -W "$(eval 'sed '\''s/^[^\t]*\t[^\t]*\t//;s/\t.*//;/^#/d'\'' /usr/share/zoneinfo/zone1970.tab 2>/dev/null')"
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion audit list -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac
}

_ems_audit_show() {
    repeating_flags=()
    non_repeating_flags=(--no-header --raw --local --no-pager --no-color --verbose --version -h --help)
    repeating_options=()
    non_repeating_options=(-o --output --columns --time-zone --config --profile --data-dir)
    __ems_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '-o'|'--output')
        __ems_add_completions -W 'table'$'\n''json'$'\n''jsonl'$'\n''yaml'$'\n''csv'$'\n''id'
        return
        ;;
    '--columns')
        return
        ;;
    '--time-zone')
        __ems_add_completions -W "$(eval 'sed '\''s/^[^\t]*\t[^\t]*\t//;s/\t.*//;/^#/d'\'' /usr/share/zoneinfo/zone1970.tab 2>/dev/null')"
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion audit show -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac
}

_ems_audit_export() {
    repeating_flags=()
    non_repeating_flags=(--raw --local --no-color --verbose --version -h --help)
    repeating_options=()
    non_repeating_options=(--subject --actor --action --since --until --format --time-zone --config --profile --data-dir)
    __ems_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--subject')
        return
        ;;
    '--actor')
        __ems_add_completions -W "$(__ems_custom_complete ---completion audit export -- --actor "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--action')
        __ems_add_completions -W 'created'$'\n''updated'$'\n''deleted'$'\n''recorded'$'\n''password_changed'$'\n''erased'$'\n''opened'$'\n''ended'$'\n''failed'$'\n''rotated'$'\n''imported'$'\n''exported'$'\n''purged'
        return
        ;;
    '--since')
        return
        ;;
    '--until')
        return
        ;;
    '--format')
        __ems_add_completions -W 'jsonl'$'\n''csv'$'\n''ics'
        return
        ;;
    '--time-zone')
        __ems_add_completions -W "$(eval 'sed '\''s/^[^\t]*\t[^\t]*\t//;s/\t.*//;/^#/d'\'' /usr/share/zoneinfo/zone1970.tab 2>/dev/null')"
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion audit export -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac
}

_ems_audit_verify() {
    repeating_flags=()
    non_repeating_flags=(--no-header --raw --local --no-pager --no-color --verbose --version -h --help)
    repeating_options=()
    non_repeating_options=(-o --output --columns --time-zone --config --profile --data-dir)
    __ems_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '-o'|'--output')
        __ems_add_completions -W 'table'$'\n''json'$'\n''jsonl'$'\n''yaml'$'\n''csv'$'\n''id'
        return
        ;;
    '--columns')
        return
        ;;
    '--time-zone')
        __ems_add_completions -W "$(eval 'sed '\''s/^[^\t]*\t[^\t]*\t//;s/\t.*//;/^#/d'\'' /usr/share/zoneinfo/zone1970.tab 2>/dev/null')"
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion audit verify -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac
}

_ems_audit_purge() {
    repeating_flags=()
    non_repeating_flags=(--json-summary --quiet --lock --yes --dry-run --no-color --verbose --version -h --help)
    repeating_options=()
    non_repeating_options=(--older-than --wait --confirm-profile --config --profile --data-dir)
    __ems_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--older-than')
        return
        ;;
    '--wait')
        return
        ;;
    '--confirm-profile')
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion audit purge -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac
}

_ems_store() {
    repeating_flags=()
    non_repeating_flags=(--version -h --help)
    repeating_options=()
    non_repeating_options=()
    __ems_offer_flags_options 0

    # Offer subcommand / subcommand argument completions
    local -r subcommand="${unparsed_words[0]}"
    unset 'unparsed_words[0]'
    unparsed_words=("${unparsed_words[@]}")
    case "${subcommand}" in
    status|migrate|compact|copy)
        # Offer subcommand argument completions
        "_ems_store_${subcommand}"
        ;;
    *)
        # Offer subcommand completions
        COMPREPLY+=($(compgen -W 'status migrate compact copy' -- "${cur}"))
        ;;
    esac
}

_ems_store_status() {
    repeating_flags=()
    non_repeating_flags=(--no-header --raw --local --no-pager --no-color --verbose --version -h --help)
    repeating_options=()
    non_repeating_options=(-o --output --columns --time-zone --config --profile --data-dir)
    __ems_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '-o'|'--output')
        __ems_add_completions -W 'table'$'\n''json'$'\n''jsonl'$'\n''yaml'$'\n''csv'$'\n''id'
        return
        ;;
    '--columns')
        return
        ;;
    '--time-zone')
        __ems_add_completions -W "$(eval 'sed '\''s/^[^\t]*\t[^\t]*\t//;s/\t.*//;/^#/d'\'' /usr/share/zoneinfo/zone1970.tab 2>/dev/null')"
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion store status -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac
}

_ems_store_migrate() {
    repeating_flags=()
    non_repeating_flags=(--dry-run --no-color --verbose --version -h --help)
    repeating_options=()
    non_repeating_options=(--config --profile --data-dir)
    __ems_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion store migrate -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac
}

_ems_store_compact() {
    repeating_flags=()
    non_repeating_flags=(--lock --dry-run --no-color --verbose --version -h --help)
    repeating_options=()
    non_repeating_options=(--wait --config --profile --data-dir)
    __ems_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--wait')
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion store compact -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac
}

_ems_store_copy() {
    repeating_flags=()
    non_repeating_flags=(--dry-run --no-header --raw --local --no-pager --no-color --verbose --version -h --help)
    repeating_options=()
    non_repeating_options=(--from --to -o --output --columns --time-zone --config --profile --data-dir)
    __ems_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--from')
        return
        ;;
    '--to')
        return
        ;;
    '-o'|'--output')
        __ems_add_completions -W 'table'$'\n''json'$'\n''jsonl'$'\n''yaml'$'\n''csv'$'\n''id'
        return
        ;;
    '--columns')
        return
        ;;
    '--time-zone')
        __ems_add_completions -W "$(eval 'sed '\''s/^[^\t]*\t[^\t]*\t//;s/\t.*//;/^#/d'\'' /usr/share/zoneinfo/zone1970.tab 2>/dev/null')"
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion store copy -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac
}

_ems_config() {
    repeating_flags=()
    non_repeating_flags=(--version -h --help)
    repeating_options=()
    non_repeating_options=()
    __ems_offer_flags_options 0

    # Offer subcommand / subcommand argument completions
    local -r subcommand="${unparsed_words[0]}"
    unset 'unparsed_words[0]'
    unparsed_words=("${unparsed_words[@]}")
    case "${subcommand}" in
    list|show|check|use)
        # Offer subcommand argument completions
        "_ems_config_${subcommand}"
        ;;
    *)
        # Offer subcommand completions
        COMPREPLY+=($(compgen -W 'list show check use' -- "${cur}"))
        ;;
    esac
}

_ems_config_list() {
    repeating_flags=()
    non_repeating_flags=(--profiles --no-header --raw --local --no-pager --no-color --verbose --version -h --help)
    repeating_options=()
    non_repeating_options=(-o --output --columns --time-zone --config --profile --data-dir)
    __ems_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '-o'|'--output')
        __ems_add_completions -W 'table'$'\n''json'$'\n''jsonl'$'\n''yaml'$'\n''csv'$'\n''id'
        return
        ;;
    '--columns')
        return
        ;;
    '--time-zone')
        __ems_add_completions -W "$(eval 'sed '\''s/^[^\t]*\t[^\t]*\t//;s/\t.*//;/^#/d'\'' /usr/share/zoneinfo/zone1970.tab 2>/dev/null')"
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion config list -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac
}

_ems_config_show() {
    repeating_flags=()
    non_repeating_flags=(--no-header --raw --local --no-pager --no-color --verbose --version -h --help)
    repeating_options=()
    non_repeating_options=(-o --output --columns --time-zone --config --profile --data-dir)
    __ems_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '-o'|'--output')
        __ems_add_completions -W 'table'$'\n''json'$'\n''jsonl'$'\n''yaml'$'\n''csv'$'\n''id'
        return
        ;;
    '--columns')
        return
        ;;
    '--time-zone')
        __ems_add_completions -W "$(eval 'sed '\''s/^[^\t]*\t[^\t]*\t//;s/\t.*//;/^#/d'\'' /usr/share/zoneinfo/zone1970.tab 2>/dev/null')"
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion config show -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac
}

_ems_config_check() {
    repeating_flags=()
    non_repeating_flags=(--no-color --verbose --version -h --help)
    repeating_options=()
    non_repeating_options=(--config --profile --data-dir)
    __ems_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion config check -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac
}

_ems_config_use() {
    repeating_flags=()
    non_repeating_flags=(--dry-run --no-color --verbose --version -h --help)
    repeating_options=()
    non_repeating_options=(--config --profile --data-dir)
    __ems_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion config use -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac

    # Offer positional completions
    case "${positional_number}" in
    1)
        __ems_add_completions -W "$(__ems_custom_complete ---completion config use -- positional@0 "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    esac
}

_ems_serve() {
    repeating_flags=()
    non_repeating_flags=(--openapi --no-color --verbose --version -h --help)
    repeating_options=(--role)
    non_repeating_options=(--host --port --tls-cert --tls-key --config --profile --data-dir)
    __ems_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--host')
        return
        ;;
    '--port')
        return
        ;;
    '--role')
        __ems_add_completions -W 'auth'$'\n''events'$'\n''notifications'
        return
        ;;
    '--tls-cert')
        __ems_add_completions -f
        return
        ;;
    '--tls-key')
        __ems_add_completions -f
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion serve -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac
}

_ems_shell() {
    repeating_flags=()
    non_repeating_flags=(--stop-on-error --no-color --verbose --version -h --help)
    repeating_options=()
    non_repeating_options=(--config --profile --data-dir)
    __ems_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion shell -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac
}

_ems_doctor() {
    repeating_flags=()
    non_repeating_flags=(--strict --no-header --raw --local --no-pager --no-color --verbose --version -h --help)
    repeating_options=()
    non_repeating_options=(-o --output --columns --time-zone --config --profile --data-dir)
    __ems_offer_flags_options 0

    # Offer option value completions
    case "${prev}" in
    '-o'|'--output')
        __ems_add_completions -W 'table'$'\n''json'$'\n''jsonl'$'\n''yaml'$'\n''csv'$'\n''id'
        return
        ;;
    '--columns')
        return
        ;;
    '--time-zone')
        __ems_add_completions -W "$(eval 'sed '\''s/^[^\t]*\t[^\t]*\t//;s/\t.*//;/^#/d'\'' /usr/share/zoneinfo/zone1970.tab 2>/dev/null')"
        return
        ;;
    '--config')
        __ems_add_completions -f
        return
        ;;
    '--profile')
        __ems_add_completions -W "$(__ems_custom_complete ---completion doctor -- --profile "${COMP_CWORD}" "$(__ems_cursor_index_in_current_word)")"
        return
        ;;
    '--data-dir')
        __ems_add_completions -d
        return
        ;;
    esac
}

_ems_help() {
    repeating_flags=()
    non_repeating_flags=(--version)
    repeating_options=()
    non_repeating_options=()
    __ems_offer_flags_options -1
}

complete -o filenames -F _ems ems
