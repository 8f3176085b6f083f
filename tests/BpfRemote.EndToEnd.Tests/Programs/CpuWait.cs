using System.Globalization;

namespace BpfRemote.EndToEnd.Programs;

/// <summary>How long the threads of processes were ready to run while no CPU took them, as the scheduler counts it: what a busy
/// machine withholds from a program, and nothing that the program waits for by itself.</summary>
internal sealed class CpuWait
{
    private readonly int[] _processes;
    private readonly Dictionary<string, long> _before;

    private CpuWait(int[] processes)
    {
        _processes = processes;
        _before = Read();
    }

    /// <summary>The time since the beginning, all threads together. Threads that ended meanwhile are not in it.</summary>
    public TimeSpan Elapsed =>
        TimeSpan.FromMicroseconds(Read().Sum(thread => thread.Value - _before.GetValueOrDefault(thread.Key)) / 1_000.0);

    /// <summary>Begins to count for processes of this machine.</summary>
    public static CpuWait Begin(params int[] processes) => new(processes);

    /// <summary>Nanoseconds of each thread: the second number of its schedstat.</summary>
    private Dictionary<string, long> Read()
    {
        Dictionary<string, long> waits = [];
        foreach (string thread in _processes.SelectMany(process => Directory.EnumerateDirectories($"/proc/{process}/task")))
        {
            try
            {
                waits.Add(thread, long.Parse(File.ReadAllText($"{thread}/schedstat").Split(' ')[1], CultureInfo.InvariantCulture));
            }
            catch (IOException)
            {
                // It ended between the listing and the reading.
            }
        }

        return waits;
    }
}
