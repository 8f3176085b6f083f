namespace BpfRemote.Agent.Limits;

/// <summary>Bounds the share of one CPU that all gentle scans together spend inside native calls, and shares it fairly.</summary>
/// <remarks>
/// <para>While the kernel copies a batch, tracing programs do not run on that CPU and their events are lost: measured, a 1 kHz
/// perf_event program kept 37 % of its runs beside an unpaced scan.</para>
/// <para>Each principal has a balance of kernel time, up to a free burst. The allowed share refills, in equal parts, those that are
/// not full: so a principal with eight scans gets no more than one with one, and what nobody needs goes to who does. Among the calls
/// of one principal short ones go first, and long ones leave half of the burst to them: a page does not wait for a scan.</para>
/// <para>Over any time the calls take no more than the share of it, and a burst for each principal.</para>
/// </remarks>
internal sealed class GentlePace : IDisposable
{
    // All in seconds: balances move by less than a tick.
    private const double Burst = 0.005;
    private const double LeftToShortCalls = Burst / 2;

    /// <summary>Kernel time up to which a call is a short one: some 5,000 entries.</summary>
    private const double ShortCall = 0.002;

    /// <summary>What a call is taken to spend in its first turn.</summary>
    private const double UsualTurn = 0.000_1;

    private const double Least = 1e-9;

    private readonly double _share;
    private readonly TimeProvider _time;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Account> _accounts = [];
    private readonly ITimer _timer;
    private long _refilledAt;

    /// <param name="share">The share of one CPU, above 0 and up to 1.</param>
    /// <param name="time">The clock.</param>
    public GentlePace(double share, TimeProvider time)
    {
        _share = share;
        _time = time;
        _refilledAt = time.GetTimestamp();
        _timer = time.CreateTimer(_ => Serve(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Lets a call in, until it is disposed.</summary>
    public Call Enter(string principal)
    {
        lock (_lock)
        {
            Refill();
            if (!_accounts.TryGetValue(principal, out Account? account))
            {
                _accounts.Add(principal, account = new Account());
            }

            account.Calls++;
            return new Call(this, account);
        }
    }

    public void Dispose() => _timer.Dispose();

    private void Serve()
    {
        lock (_lock)
        {
            Refill();
            ServeWaiting();
        }
    }

    /// <summary>Gives turns to those whose balance allows one, and sets the timer for the next.</summary>
    private void ServeWaiting()
    {
        double next = double.PositiveInfinity;
        double rate = _share / Math.Max(_accounts.Values.Count(account => account.Balance < Burst), 1);
        bool isAnyWaiting = false;
        foreach (Account account in _accounts.Values)
        {
            while (account.FirstWaiting is { } waiting && account.Balance > waiting.Value.Floor)
            {
                waiting.List!.Remove(waiting);
                waiting.Value.TakeTurn();
                waiting.Value.Turn!.SetResult();
            }

            // A balance that gets full changes what the others are given.
            double wanted = account.FirstWaiting?.Value.Floor ?? Burst;
            isAnyWaiting |= account.FirstWaiting is not null;
            next = account.Balance < Burst ? Math.Min(next, (wanted - account.Balance) / rate) : next;
        }

        // Timers count whole milliseconds.
        _timer.Change(
            isAnyWaiting ? TimeSpan.FromMilliseconds(Math.Max(Math.Ceiling(next * 1_000), 1)) : Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan);
    }

    private void Refill()
    {
        long now = _time.GetTimestamp();
        double earned = _share * _time.GetElapsedTime(_refilledAt, now).TotalSeconds;
        _refilledAt = now;
        while (earned > Least && _accounts.Values.Count(account => account.Balance < Burst) is > 0 and var needy)
        {
            double part = earned / needy;
            foreach (Account account in _accounts.Values)
            {
                double given = Math.Min(part, Burst - account.Balance);
                account.Give(given);
                earned -= given;
            }
        }

        foreach ((string principal, Account account) in _accounts)
        {
            if (account is { Calls: 0, Balance: >= Burst })
            {
                _accounts.Remove(principal);
            }
        }
    }

    /// <summary>One call that keeps to the pace. Not safe for concurrent use.</summary>
    public sealed class Call : IDisposable
    {
        private readonly GentlePace _pace;
        private readonly Account _account;
        private double _spent;
        private double _lastTurn = UsualTurn;
        private double _reserved;

        internal Call(GentlePace pace, Account account)
        {
            _pace = pace;
            _account = account;
        }

        /// <summary>Whether the next native call may be made.</summary>
        public bool HasTurn { get; private set; }

        /// <summary>Whoever waits for the turn.</summary>
        internal TaskCompletionSource? Turn { get; private set; }

        /// <summary>The balance above which the call gets a turn.</summary>
        internal double Floor => IsShort ? 0 : LeftToShortCalls;

        private bool IsShort => _spent < ShortCall;

        /// <summary>Waits for the turn to make a native call. Completes at once while the balance allows one.</summary>
        /// <param name="patience">The longest wait; whoever waits this long is to say so and come again.</param>
        /// <param name="cancellationToken">Ends the wait.</param>
        /// <returns>The time waited.</returns>
        public ValueTask<TimeSpan> WaitAsync(TimeSpan patience, CancellationToken cancellationToken)
        {
            lock (_pace._lock)
            {
                if (HasTurn || patience <= TimeSpan.Zero)
                {
                    return new(TimeSpan.Zero);
                }

                _pace.Refill();
                LinkedList<Call> queue = IsShort ? _account.Short : _account.Long;
                if (queue.Count == 0 && _account.Balance > Floor)
                {
                    TakeTurn();
                    return new(TimeSpan.Zero);
                }

                Turn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                LinkedListNode<Call> place = queue.AddLast(this);
                _pace.ServeWaiting();
                return new(WaitForTurnAsync(place, patience, cancellationToken));
            }
        }

        /// <summary>Takes time that was spent inside native calls from the balance, and ends the turn.</summary>
        public void Spend(TimeSpan kernelTime)
        {
            lock (_pace._lock)
            {
                _pace.Refill();
                _account.Give(_reserved - kernelTime.TotalSeconds);
                _spent += kernelTime.TotalSeconds;
                _lastTurn = Math.Min(kernelTime.TotalSeconds, Burst);
                _reserved = 0;
                HasTurn = false;
                _pace.ServeWaiting();
            }
        }

        /// <summary>Leaves; a turn that was not used goes back.</summary>
        public void Dispose()
        {
            lock (_pace._lock)
            {
                _account.Calls--;
                _account.Give(_reserved);
                _reserved = 0;
                _pace.Refill();
                _pace.ServeWaiting();
            }
        }

        /// <summary>What the turn will take is taken now, so that others do not count on it too.</summary>
        internal void TakeTurn()
        {
            HasTurn = true;
            _reserved = _lastTurn;
            _account.Give(-_reserved);
        }

        private async Task<TimeSpan> WaitForTurnAsync(LinkedListNode<Call> place, TimeSpan patience, CancellationToken cancellationToken)
        {
            long start = _pace._time.GetTimestamp();
            try
            {
                await Turn!.Task.WaitAsync(patience, _pace._time, cancellationToken);
            }
            catch (TimeoutException)
            {
                // The caller's to see: it has no turn.
            }
            finally
            {
                lock (_pace._lock)
                {
                    place.List?.Remove(place);
                }
            }

            return _pace._time.GetElapsedTime(start);
        }
    }

    /// <summary>What one principal has left, and its calls that wait.</summary>
    internal sealed class Account
    {
        public double Balance { get; private set; } = Burst;

        public int Calls { get; set; }

        public LinkedList<Call> Short { get; } = [];

        public LinkedList<Call> Long { get; } = [];

        public LinkedListNode<Call>? FirstWaiting => Short.First ?? Long.First;

        /// <summary>Adds to the balance, or takes from it where below 0.</summary>
        public void Give(double seconds) => Balance = Balance + seconds > Burst - Least ? Burst : Balance + seconds;
    }
}
