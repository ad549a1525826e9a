; Cosine of the angle between two vectors; 0 where one of them has no direction.
; The flag reassoc lets LLVM add in another order, which is what a vector does: the last digits may differ from a loop's.

declare double @llvm.sqrt.f64(double)
declare float @llvm.sqrt.f32(float)

define double @cosine_f64(ptr noalias readonly %x, ptr noalias readonly %y, i64 %n) {
entry:
  %some = icmp sgt i64 %n, 0
  br i1 %some, label %loop, label %none

loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
  %xy = phi double [ 0.0, %entry ], [ %xy.added, %loop ]
  %xx = phi double [ 0.0, %entry ], [ %xx.added, %loop ]
  %yy = phi double [ 0.0, %entry ], [ %yy.added, %loop ]
  %xi = getelementptr inbounds double, ptr %x, i64 %i
  %yi = getelementptr inbounds double, ptr %y, i64 %i
  %a = load double, ptr %xi, align 8
  %b = load double, ptr %yi, align 8
  %ab = fmul reassoc contract double %a, %b
  %aa = fmul reassoc contract double %a, %a
  %bb = fmul reassoc contract double %b, %b
  %xy.added = fadd reassoc contract double %xy, %ab
  %xx.added = fadd reassoc contract double %xx, %aa
  %yy.added = fadd reassoc contract double %yy, %bb
  %next = add nuw nsw i64 %i, 1
  %more = icmp slt i64 %next, %n
  br i1 %more, label %loop, label %measure

measure:
  %x.length = call double @llvm.sqrt.f64(double %xx.added)
  %y.length = call double @llvm.sqrt.f64(double %yy.added)
  %lengths = fmul double %x.length, %y.length
  %has.direction = fcmp ogt double %lengths, 0.0
  br i1 %has.direction, label %divide, label %none

divide:
  %quotient = fdiv double %xy.added, %lengths
  br label %none

none:
  %result = phi double [ 0.0, %entry ], [ 0.0, %measure ], [ %quotient, %divide ]
  ret double %result
}

define float @cosine_f32(ptr noalias readonly %x, ptr noalias readonly %y, i64 %n) {
entry:
  %some = icmp sgt i64 %n, 0
  br i1 %some, label %loop, label %none

loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
  %xy = phi float [ 0.0, %entry ], [ %xy.added, %loop ]
  %xx = phi float [ 0.0, %entry ], [ %xx.added, %loop ]
  %yy = phi float [ 0.0, %entry ], [ %yy.added, %loop ]
  %xi = getelementptr inbounds float, ptr %x, i64 %i
  %yi = getelementptr inbounds float, ptr %y, i64 %i
  %a = load float, ptr %xi, align 4
  %b = load float, ptr %yi, align 4
  %ab = fmul reassoc contract float %a, %b
  %aa = fmul reassoc contract float %a, %a
  %bb = fmul reassoc contract float %b, %b
  %xy.added = fadd reassoc contract float %xy, %ab
  %xx.added = fadd reassoc contract float %xx, %aa
  %yy.added = fadd reassoc contract float %yy, %bb
  %next = add nuw nsw i64 %i, 1
  %more = icmp slt i64 %next, %n
  br i1 %more, label %loop, label %measure

measure:
  %x.length = call float @llvm.sqrt.f32(float %xx.added)
  %y.length = call float @llvm.sqrt.f32(float %yy.added)
  %lengths = fmul float %x.length, %y.length
  %has.direction = fcmp ogt float %lengths, 0.0
  br i1 %has.direction, label %divide, label %none

divide:
  %quotient = fdiv float %xy.added, %lengths
  br label %none

none:
  %result = phi float [ 0.0, %entry ], [ 0.0, %measure ], [ %quotient, %divide ]
  ret float %result
}
