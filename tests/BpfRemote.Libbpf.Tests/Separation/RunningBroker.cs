using BpfRemote.Libbpf.Separation;
using Xunit;

namespace BpfRemote.Libbpf.Tests.Separation;

/// <summary>A broker on threads of this process, without its lockdown, and the server's end of its channels.</summary>
internal sealed class RunningBroker : IDisposable
{
    private readonly List<BrokerChannel> _channels = [];
    private readonly List<Thread> _threads = [];

    public RunningBroker(MapAccess mode)
    {
        _ = Kernel.Source;
        BrokerRequests requests = new(new DirectAccess(), mode);
        Connection = new(Serve(requests), Serve(requests));
        Source = KernelMapSource.Create(mode, Connection);
    }

    public BrokerConnection Connection { get; }

    public KernelMapSource Source { get; }

    /// <summary>Ends both channels.</summary>
    public void HangUp() => _channels.ForEach(channel => channel.HangUp());

    public void Dispose()
    {
        HangUp();
        Assert.All(_threads, thread => Assert.True(thread.Join(TimeSpan.FromSeconds(10))));
        _channels.ForEach(channel => channel.Dispose());
        Connection.Dispose();
    }

    private BrokerChannel Serve(BrokerRequests requests)
    {
        (BrokerChannel ours, Microsoft.Win32.SafeHandles.SafeFileHandle theirs) = BrokerChannel.CreatePair();
        Thread thread = new(() => Broker.Serve(ours, requests)) { IsBackground = true };
        thread.Start();
        _channels.Add(ours);
        _threads.Add(thread);
        return new(theirs);
    }
}
