namespace BpfRemote.Libbpf;

/// <summary>A call into libbpf or the kernel that failed.</summary>
/// <param name="operation">The C name of what was called, such as <c>bpf_map_get_fd_by_id</c>.</param>
/// <param name="errno">What it returned.</param>
/// <param name="subject">What it was called for, such as <c>map 12</c> or a path.</param>
public sealed class BpfException(string operation, Errno errno, string subject)
    : Exception($"{operation} of {subject}: {errno.Name()}")
{
    /// <summary>The C name of what was called.</summary>
    public string Operation { get; } = operation;

    /// <summary>What it returned.</summary>
    public Errno Errno { get; } = errno;
}
