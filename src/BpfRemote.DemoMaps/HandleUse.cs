using System.Runtime.InteropServices;

namespace BpfRemote.DemoMaps;

/// <summary>Keeps a handle open while its file descriptor stands in a struct, where the marshaller cannot see it.</summary>
internal readonly ref struct HandleUse
{
    private readonly SafeHandle? _handle;

    /// <param name="handle">Null gives file descriptor 0, which the kernel's optional fields take for none.</param>
    internal HandleUse(SafeHandle? handle)
    {
        if (handle is null)
        {
            return;
        }

        bool added = false;
        handle.DangerousAddRef(ref added);
        _handle = handle;
        FileDescriptor = checked((uint)handle.DangerousGetHandle());
    }

    internal uint FileDescriptor { get; }

    internal void Dispose() => _handle?.DangerousRelease();
}
