using System.Runtime.InteropServices;
using BpfRemote.DemoMaps;
using BpfRemote.Libbpf;

const int Failed = 1;
const int Misused = 2;

using CancellationTokenSource stop = new();
using PosixSignalRegistration onTerminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
using PosixSignalRegistration onInterrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);

try
{
    DemoOptions options = DemoOptions.Parse(args);
    if (options.Help)
    {
        Console.WriteLine(DemoOptions.Usage);
        return 0;
    }

    if (!NativeLibrary.TryLoad("libbpf.so.1", out _))
    {
        return Fail("libbpf.so.1 is not on this machine: apt-get install libbpf1 (Fedora: dnf install libbpf)", Failed);
    }

    await Demo.RunAsync(options, TimeProvider.System, Console.Out, stop.Token);
    return 0;
}
catch (FormatException e)
{
    return Fail($"{e.Message}\n\n{DemoOptions.Usage}", Misused);
}
catch (BpfException e) when (e.Errno is Errno.EPERM && !Environment.IsPrivilegedProcess)
{
    return Fail($"making maps takes root ({e.Message}): run it with sudo", Failed);
}
catch (BpfException e) when (e.Errno is Errno.EEXIST)
{
    return Fail($"{e.Message}: another bpfremote-demo-maps runs, or one was killed; remove the pin or choose --pin-dir", Failed);
}
catch (Exception e) when (e is BpfException or IOException or UnauthorizedAccessException)
{
    return Fail(e.Message, Failed);
}

void Stop(PosixSignalContext signal)
{
    signal.Cancel = true;
    stop.Cancel();
}

static int Fail(string message, int exitCode)
{
    Console.Error.WriteLine($"bpfremote-demo-maps: {message}");
    return exitCode;
}
