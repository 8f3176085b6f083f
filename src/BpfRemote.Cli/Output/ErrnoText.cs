namespace BpfRemote.Cli.Output;

/// <summary>The texts that bpftool prints for the errors with which the kernel refuses values.</summary>
internal static class ErrnoText
{
    /// <summary>What <c>strerror</c> says.</summary>
    /// <param name="name">The errno's name, as the agent gives it.</param>
    public static string Of(string name) => name switch
    {
        "ENOENT" => "No such file or directory",
        "ENOSPC" => "No space left on device",
        "EOPNOTSUPP" => "Operation not supported",
        // Of the kernel alone: the C library does not know it.
        "ENOTSUPP" => "Unknown error 524",
        "EINVAL" => "Invalid argument",
        "EPERM" => "Operation not permitted",
        "EACCES" => "Permission denied",
        "EFAULT" => "Bad address",
        "ENOMEM" => "Cannot allocate memory",
        _ => name,
    };
}
