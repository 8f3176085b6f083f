using BpfRemote.Libbpf;

namespace BpfRemote.Simulation;

/// <summary>Which of the coming calls fail, and how.</summary>
internal sealed class ErrorSchedule
{
    private readonly List<Injection> _injections = [];

    /// <summary>Makes <paramref name="times"/> calls fail, the first of them the <paramref name="onCall"/>-th from now.</summary>
    public void Add(NativeCall call, Errno error, int onCall, int times)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(onCall);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(times);
        _injections.Add(new Injection(call, error) { CallsBefore = onCall - 1, Times = times });
    }

    /// <summary>Counts a call and says how it fails; None where it does not.</summary>
    public Errno OnCall(NativeCall call)
    {
        Errno error = Errno.None;
        foreach (Injection injection in _injections.Where(injection => injection.Call == call))
        {
            if (injection.CallsBefore > 0)
            {
                injection.CallsBefore--;
            }
            else if (error == Errno.None && injection.Times > 0)
            {
                injection.Times--;
                error = injection.Error;
            }
        }

        return error;
    }

    private sealed record Injection(NativeCall Call, Errno Error)
    {
        public int CallsBefore { get; set; }

        public int Times { get; set; }
    }
}
