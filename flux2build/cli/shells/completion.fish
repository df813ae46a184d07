
function _flux2build_completion
    set -lx _FLUX2BUILD_COMPLETE fish_complete
    set -lx COMP_WORDS (commandline -cp)
    set -lx COMP_CWORD (commandline -t)
    for found in (flux2build)
        set -l parts (string split -m 1 , -- $found)
        if test "$parts[1]" = file
            __fish_complete_path $parts[2]
        else if test "$parts[1]" = plain
            echo $parts[2]
        end
    end
end
complete --no-files --command flux2build --arguments "(_flux2build_completion)"
