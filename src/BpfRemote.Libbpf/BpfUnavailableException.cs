namespace BpfRemote.Libbpf;

/// <summary>This machine cannot inspect eBPF maps: not Linux, no eBPF in the kernel, or libbpf missing or too old.</summary>
/// <param name="message">What is missing, and what to do about it.</param>
/// <param name="innerException">What went wrong below, if anything did.</param>
public sealed class BpfUnavailableException(string message, Exception? innerException = null)
    : Exception(message, innerException);
